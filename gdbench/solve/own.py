"""What is wrong with a user's own optimizer, loss or landscape, where the compiler refuses it: in one line, not in its words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from numba import NumbaError, UnsupportedBytecodeError

from gdbench.errors import GdbenchError, one_line
from gdbench.kernels.compile.type_key import foreign_classes
from gdbench.kernels.members import kind_of, try_out


@contextmanager
def explained(*tags: Any) -> Iterator[None]:
    """Say which body from outside gdbench is at fault, and how, where the work inside fails.

    Parameters
    ----------
    *tags : tag
        All that the work compiles: the rule, the task, the landscape.

    Raises
    ------
    GdbenchError
        What a body raises in plain Python; of one that only the compiler refuses, its reason. The work's own error stays as it is
        where no tag is from outside.
    """
    try:
        yield
    except GdbenchError:
        raise
    except Exception as error:
        own = list(own_parts(tags))
        for tag in own:
            try_out(tag)
        if not own or not isinstance(error, (NumbaError, UnsupportedBytecodeError)):
            raise
        raise GdbenchError(f"your {' or '.join(map(named, own))} cannot be compiled: {reason(error)}") from error


def own_parts(value: Any) -> Iterator[Any]:
    """The tags in `value`, itself included, whose classes are from outside gdbench."""
    if isinstance(value, tuple):
        if type(value) in foreign_classes(value):
            yield value
        for part in value:
            yield from own_parts(part)


def named(tag: Any) -> str:
    """The kind of a tag and its class."""
    return f"{kind_of(tag) or 'class'} {type(tag).__name__}"


def reason(error: Exception) -> str:
    """The innermost of the compiler's reasons: its message begins with the loops around the body."""
    inner = re.split(r"Failed in \w+ mode pipeline \(step: [^)]*\)", str(error))[-1]
    lines = [line.strip() for line in inner.splitlines() if line.strip()]
    raised = [line for line in lines if re.match(r"\w+Error: \S", line)]
    return one_line((raised or lines or [""])[0].rstrip(":"))
