"""Suites: from a spec in TOML to runs in a ledger, tables and metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gdbench.suite.results import Results, load
    from gdbench.suite.run import run_suite
    from gdbench.suite.spec import builtin_names

__all__ = ["Results", "builtin_names", "load", "run_suite"]

_HOMES = {"Results": "results", "builtin_names": "spec", "load": "results", "run_suite": "run"}


def __getattr__(name: str) -> Any:
    """Import on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"gdbench.suite.{_HOMES[name]}"), name)
