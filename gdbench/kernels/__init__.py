"""Everything compiled. Imports nothing from above, does no I/O."""
