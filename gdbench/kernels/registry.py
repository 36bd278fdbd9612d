"""Registries: the tags of one kind (optimizers, losses, ...), found by name, with their fields checked.

A module in the kind's folder is found by itself: its NamedTuples that have the kind's methods are the members. A
user's own class joins with ``@optimizers.register``.
"""

from __future__ import annotations

import importlib
import math
import numbers
import pkgutil
import typing
import weakref
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from gdbench.errors import GdbenchError, unknown
from gdbench.kernels.members import approve
from gdbench.kernels.shares import steps_or_share


class Registry:
    """The known tags of one kind.

    Parameters
    ----------
    kind : str
        What a member is, in the singular, for messages.
    methods : tuple of str
        The methods that make a NamedTuple a member.
    """

    def __init__(self, kind: str, *methods: str):
        self.kind = kind
        self.methods = methods
        self._members: dict[str, type] = {}
        self._approved: weakref.WeakSet[type] = weakref.WeakSet()

    def register(self, cls: type) -> type:
        """Add a NamedTuple under its name (its attribute ``name``, or the class's name in lower case).

        Usable as a decorator. A class registered again replaces the one before, as a notebook cell that is run twice
        needs. What a class from outside gdbench lacks is said here: an attribute, an argument, a number that a body returns.

        Raises
        ------
        GdbenchError
            What is missing, and where it is documented.
        """
        if not (isinstance(cls, type) and issubclass(cls, tuple) and hasattr(cls, "_fields")):
            raise GdbenchError(f"{cls!r} is no {self.kind}: derive it from typing.NamedTuple")
        missing = [method for method in self.methods if not callable(getattr(cls, method, None))]
        if missing:
            raise GdbenchError(f"{cls.__name__} is no {self.kind}: it has no method {' and no method '.join(missing)}")
        self._approve(cls)
        self._members[name_of(cls)] = cls
        return cls

    def discover(self, package: str, path) -> dict[str, type]:
        """Register every member that the modules of a package define; returned by class name, for its namespace."""
        found = {}
        for module in pkgutil.iter_modules(path):
            loaded = importlib.import_module(f"{package}.{module.name}")
            for cls in vars(loaded).values():
                if (
                    isinstance(cls, type)
                    and cls.__module__ == loaded.__name__
                    and self._is_member(cls)
                    and cls.__name__[0] != "_"
                ):
                    found[cls.__name__] = self.register(cls)
        return found

    def _approve(self, cls: type) -> None:
        """Check a class from outside gdbench, once."""
        if cls.__module__.partition(".")[0] != "gdbench" and cls not in self._approved:
            approve(cls, self.kind)
            self._approved.add(cls)

    def _finished(self, tag: Any) -> Any:
        """The tag with its fields checked; those that its class names as ``parts`` are members, or members' names."""
        self._approve(type(tag))
        parts = [part for part in getattr(type(tag), "parts", ()) if getattr(tag, part) != tag._field_defaults[part]]
        return checked(tag._replace(**{part: self.make(getattr(tag, part)) for part in parts}), self.kind)

    def _check_fields(self, cls: Any, fields: dict[str, Any], needed: bool = False) -> None:
        strange = [field for field in fields if field not in cls._fields]
        if strange:
            raise unknown(f"field of {self.kind} {name_of(cls)}", strange[0], list(cls._fields))
        missing = [field for field in cls._fields if field not in cls._field_defaults and field not in fields]
        if needed and missing:
            raise GdbenchError(f"{self.kind} {name_of(cls)} needs a value for {', '.join(missing)}")

    def _is_member(self, cls: type) -> bool:
        return hasattr(cls, "_fields") and all(hasattr(cls, method) for method in self.methods)

    def names(self) -> list[str]:
        """The members' names, sorted."""
        return sorted(self._members)

    def __iter__(self) -> Iterator[type]:
        return iter([self._members[name] for name in self.names()])

    def __contains__(self, name: str) -> bool:
        return isinstance(name, str) and name in self._members

    def __getitem__(self, name: str) -> type:
        if name not in self._members:
            raise unknown(self.kind, name, self.names())
        return self._members[name]

    def make(self, choice: Any, **fields: Any) -> Any:
        """The tag that `choice` (a name, or a tag) stands for, its fields checked and coerced to their declared types.

        Raises
        ------
        GdbenchError
            An unknown name or field, a value of the wrong type or outside the limits the class declares.
        """
        if isinstance(choice, str):
            cls = self[choice]
            self._check_fields(cls, fields, needed=True)
            return self._finished(cls(**fields))
        if isinstance(choice, type) and self._is_member(choice):
            self._check_fields(choice, fields, needed=True)
            return self._finished(choice(**fields))
        if self._is_member(type(choice)):
            self._check_fields(type(choice), fields)
            return self._finished(choice._replace(**fields))
        raise GdbenchError(
            f"{choice!r} is no {self.kind}: give a name ({', '.join(self.names())}) or a NamedTuple with the method "
            f"{' and '.join(self.methods)}"
        )


def name_of(tag: Any) -> str:
    """The name under which a tag, or its class, is registered."""
    cls = tag if isinstance(tag, type) else type(tag)
    return getattr(cls, "name", None) or cls.__name__.lower()


def checked(tag: Any, kind: str = "tag") -> Any:
    """`tag` with each field coerced to its declared type, so that ``Adam(1)`` does not compile a second time.

    A class's own ``check()`` sees the fields together.
    """
    hints = hints_of(type(tag))  # type: ignore[arg-type]
    limits, in_steps = getattr(type(tag), "limits", {}), getattr(type(tag), "in_steps", ())
    values = {}
    for field, value in tag._asdict().items():
        label = f"{kind} {name_of(tag)}: {field}"
        if field in in_steps:
            values[field] = steps_or_share(value, label)
        else:
            values[field] = checked(value, kind) if hasattr(value, "_fields") else coerced(value, hints.get(field), label)
        if field in limits:
            check_limits(values[field], limits[field], label)
    found = type(tag)(**values)
    if hasattr(found, "check"):
        found.check()
    return found


@lru_cache(maxsize=256)
def hints_of(cls: type) -> dict[str, Any]:
    """The declared type of each field of a class; looking them up takes longer than all else here."""
    return typing.get_type_hints(cls)


def coerced(value: Any, hint: Any, label: str) -> Any:
    """`value` as the float, int or bool that its annotation asks for; other annotations pass it on."""
    if hint is bool:
        if not isinstance(value, (bool, np.bool_)):
            raise GdbenchError(f"{label} must be True or False, not {value!r}")
        return bool(value)
    if hint in (int, float):
        if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
            raise GdbenchError(f"{label} must be a number, not {value!r}")
        if hint is int and not (math.isfinite(value) and value == int(value)):  # type: ignore[call-overload]
            raise GdbenchError(f"{label} must be a whole number, not {value!r}")
        return hint(value)
    return value


def check_limits(value: float, interval: str, label: str) -> None:
    """Raise unless `value` lies in `interval`, written as in mathematics: ``"[0, 1)"``."""
    low, high = (float(bound) for bound in interval[1:-1].split(","))
    above = value >= low if interval[0] == "[" else value > low
    below = value <= high if interval[-1] == "]" else value < high
    if math.isnan(value) or not (above and below):
        raise GdbenchError(f"{label} must lie in {interval}, not {value!r}")


def in_dtype(tag: Any, dtype: np.dtype) -> Any:
    """`tag` with its float fields in `dtype`, so that a float32 loop is not computed in float64."""
    values = [in_dtype(v, dtype) if hasattr(v, "_fields") else dtype.type(v) if type(v) is float else v for v in tag]
    return type(tag)(*values)
