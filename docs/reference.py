"""The parts of the documentation that are made from the code: keys of a suite, commands, columns, registries, environment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

#: The tables of a suite, by the name of their class, with the heading in the file.
TABLES = {"Spec": "The suite", "Budget": "`[budget]`", "ProblemSpec": "`[[problems]]`", "SolverSpec": "`[[solvers]]`"}

#: The registries whose members have a page.
KINDS = ("optimizers", "losses", "penalties", "schedules", "landscapes")


def write(folder: Path) -> None:
    """Write every part into a folder.

    Parameters
    ----------
    folder : Path
        Made if missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    parts = {"keys.md": keys(), "commands.md": commands(), "columns.md": columns(), "environment.md": environment()}
    parts |= {f"{kind}.txt": members(kind) for kind in KINDS}
    for name, lines in parts.items():
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def table(heads: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Lines of a Markdown table."""
    heads = list(heads)
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield "| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |"
    yield ""


# ---- keys of a suite


def keys() -> Iterator[str]:
    """The keys of each table of a suite: meaning, type, default, limits, an example."""
    from gdbench.suite import spec

    for name, title in TABLES.items():
        model = getattr(spec, name)
        schema = model.model_json_schema(by_alias=False)
        yield f"## {title}"
        yield ""
        for key, field in model.model_fields.items():
            found = schema["properties"][key]
            yield f"### `{key}`"
            yield ""
            yield field.description
            yield ""
            yield f"{type_of(key, found, schema)}; {default_of(field)}."
            yield ""
            yield "```toml"
            yield field.examples[0]
            yield "```"
            yield ""


#: A limit as large as the type's is none that a reader has to know.
UNLIMITED = 2**32 - 1

#: The words for a type of JSON schema.
WORDS = {"integer": "whole number", "number": "number", "string": "text", "boolean": "true or false", "object": "table"}


def type_of(key: str, found: dict[str, Any], schema: dict[str, Any]) -> str:
    """A key's type and limits in words."""
    choices = [one for one in found.get("anyOf", [found]) if one.get("type") != "null"]
    found = choices[0]
    if found.get("type") == "array":
        item = found.get("items", {})
        if key == "learning_rates":
            return "A number above 0, a list of them, or a table"
        return f"A list, or one: {one_of(item)}"
    text = one_of(found)
    return text[0].upper() + text[1:]


def one_of(found: dict[str, Any]) -> str:
    """A single value's type and limits in words."""
    if "enum" in found:
        return "one of " + ", ".join(f"`{value}`" for value in found["enum"])
    if "$ref" in found:
        name = found["$ref"].rpartition("/")[2]
        return "a name, or a table of a name and its fields" if name == "Named" else "a table"
    words = WORDS.get(str(found.get("type")), "a value")
    limits = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    told = [f"{sign} {found[key]:g}" for key, sign in limits.items() if key in found and found[key] < UNLIMITED]
    return ", ".join([words, *told])


def default_of(field: Any) -> str:
    """A key's default in words."""
    if field.is_required():
        return "must be given"
    value = field.default
    if value is None or value in ("", (), {}) or type(value).__name__.startswith("Budget"):
        return "none by default"
    if isinstance(value, tuple) and len(value) > 1 and isinstance(value[0], int):
        return f"{value[0]}, {value[0] + 1}, …, {value[-1]} by default"
    if isinstance(value, tuple):
        value = [getattr(one, "name", one) for one in value]
        value = value[0] if len(value) == 1 else value
    else:
        value = getattr(value, "name", value)
    text = {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else value
    return f"`{text}` by default".replace("'", '"')


# ---- commands


def commands() -> Iterator[str]:
    """Each command with its help, usage and options, as the command line declares them."""
    import typer

    from gdbench.cli import app

    group = typer.main.get_command(app)
    for name, command in sorted(group.commands.items()):
        context = type(command).context_class(command, info_name=f"gdbench {name}")
        yield f"## gdbench {name}"
        yield ""
        yield markdown(command.help or "")
        yield ""
        yield "```text"
        yield command.get_usage(context).removeprefix("Usage: ")
        yield "```"
        yield ""
        records = [one.get_help_record(context) for one in command.params]
        rows = [(f"`{re.sub(' <.*>$', '', words)}`", markdown(told)) for words, told in filter(None, records)]
        yield from table(("argument or option", "meaning"), rows)


def markdown(text: str) -> str:
    """Help as Markdown: what a reader would take for markup is text."""
    return re.sub(r"([<>*_\[\]])", r"\\\1", text)


# ---- columns, environment, registries


def columns() -> Iterator[str]:
    """The columns of each table of a results folder."""
    from gdbench.suite import meanings

    for name, what in {"runs": "a run", "curves": "a recorded point", "hits": "a run and target"}.items():
        yield f"## {name}.parquet: a row {what}"
        yield ""
        found = getattr(meanings, name.upper())
        yield from table(("column", "unit", "meaning"), [(f"`{key}`", unit or "–", text) for key, (unit, text) in found.items()])


def environment() -> Iterator[str]:
    """The environment variables that gdbench reads."""
    from gdbench.suite.environment import VARIABLES

    yield from table(("variable", "meaning"), [(f"`{name}`", text) for name, text in VARIABLES.items()])


def members(kind: str) -> Iterator[str]:
    """Each member of a registry, as reStructuredText: autodoc reads its docstring."""
    from gdbench.kernels.registry import name_of

    module = import_module(f"gdbench.kernels.{kind}")
    for member in sorted(module.registry, key=name_of):
        if member.__module__.partition(".")[0] != "gdbench":
            continue
        yield name_of(member)
        yield "-" * len(name_of(member))
        yield ""
        yield f".. autoclass:: {member.__module__}.{member.__name__}"
        yield ""
