"""The parity table: as JSON, as cells for a terminal, as Markdown."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from gdbench.parity.case import Row

#: The table's heads, in the order of :func:`cells`.
HEADS = ("against", "version", "case", "compared", "absolute", "relative", "tolerance", "verdict", "seconds")


def to_json(rows: Iterable[Row]) -> str:
    """The rows as a JSON array of objects; a difference that isn't a finite number is null."""
    return json.dumps([as_record(row) for row in rows], indent=1, ensure_ascii=False) + "\n"


def as_record(row: Row) -> dict[str, Any]:
    """A row as a JSON object."""
    record = {key: _finite(value) for key, value in asdict(row).items()}
    return record | {"passed": row.passed}


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def cells(row: Row) -> tuple[str, ...]:
    """A row as text, one string a column of `HEADS`."""
    verdict = row.status if not row.note else f"{row.status}: {row.note}"
    return (
        row.against,
        row.version,
        row.case,
        row.compared,
        number(row.absolute),
        number(row.relative),
        number(row.tolerance),
        verdict,
        f"{row.seconds:.2f}",
    )


def number(value: float | None) -> str:
    """A difference as text."""
    return "–" if value is None else "0" if value == 0 else f"{value:.1e}"


def to_markdown(rows: Iterable[Row]) -> str:
    """The rows as a Markdown table."""
    lines = ["| " + " | ".join(HEADS) + " |", "|" + "---|" * len(HEADS)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in cells(row)) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def summary(rows: Sequence[Row], *, by_tolerance: bool = False) -> list[dict[str, Any]]:
    """A record a reference, or a reference and tolerance: its cases, how many passed, its largest differences, its seconds."""

    def key(row: Row) -> tuple[str, float | None]:
        return row.against, row.tolerance if by_tolerance else None

    found = []
    for name, tolerance in dict.fromkeys(map(key, rows)):
        group = [row for row in rows if key(row) == (name, tolerance)]
        relative = [row.relative for row in group if row.relative is not None and math.isfinite(row.relative)]
        found.append(
            {
                "against": name,
                "version": group[0].version,
                "cases": sum(row.status != "skipped" for row in group),
                "passed": sum(row.status == "passed" for row in group),
                "failed": sum(row.status == "failed" for row in group),
                "skipped": any(row.status == "skipped" for row in group),
                "absolute": max((row.absolute for row in group if row.absolute is not None), default=None),
                "relative": max(relative, default=None),
                "tolerance": tolerance,
                "seconds": sum(row.seconds for row in group),
            }
        )
    return found


def disagreements(rows: Iterable[Row]) -> list[Row]:
    """The rows that failed: what makes `gdbench validate` exit with 1."""
    return [row for row in rows if row.status == "failed"]
