"""How functions are compiled: the one policy, tags and their operations, and inlining."""
