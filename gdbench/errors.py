"""The errors a user can meet: every message is one line and says what to do about it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class GdbenchError(ValueError):
    """The request was wrong: the message is one line, fit to be shown without a traceback."""


class DatasetUnavailable(GdbenchError):
    """A data set that has to be downloaded can't be reached, or a shipped file is missing."""


def unknown(kind: str, name: object, choices: Iterable[str]) -> GdbenchError:
    """Build the error for a name that isn't among the choices; the caller raises it.

    Parameters
    ----------
    kind : str
        What was asked for, in the singular: "optimizer", "dataset".
    name : object
        What the caller gave.
    choices : iterable of str
        The valid names, listed in the order given.

    Returns
    -------
    GdbenchError
        With the message ``unknown <kind> 'x'; did you mean 'y'? choose from: a, b, c``.
    """
    choices = [str(choice) for choice in choices]
    # casefold: "Adam" for "adam" is the likeliest slip of all
    folded = {choice.casefold(): choice for choice in reversed(choices)}
    close = difflib.get_close_matches(str(name).casefold(), folded, n=1)
    hint = f" did you mean '{folded[close[0]]}'?" if close else ""
    valid = ", ".join(choices) if choices else "(nothing is available)"
    return GdbenchError(f"unknown {kind} '{name}';{hint} choose from: {valid}")


def one_line(error: object) -> str:
    """The message of another library's error, squeezed into one line."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else text[:197] + "..."
