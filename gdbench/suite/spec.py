"""The suite spec: a TOML file, checked key by key, and expanded into problems, solvers and rates.

Every key says in its field what it means, with an example; the documentation's page on suites is generated from them.

A list where one value is expected (of `alpha`, an entry of `options`, and every key of a solver) stands for each of its
values, crossed with the other lists.
A grid whose best rate is its lowest or its highest goes on there, for two decades at most.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import itertools
import math
import signal
import sys
import threading
import tomllib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from gdbench import baselines as all_baselines
from gdbench.errors import GdbenchError, one_line, unknown
from gdbench.kernels import landscapes, losses, optimizers, order, penalties, schedules
from gdbench.kernels.shares import marked
from gdbench.problems import catalog, preprocess
from gdbench.problems.data import file_of
from gdbench.suite.solver import MOST_SOLVERS, Solver
from gdbench.tasks.model import model_of
from gdbench.writing import stdout_to_stderr

FOLDER = Path(__file__).parent / "suites"

#: Seconds that a plugin may take to be imported; its bodies are tried then.
IMPORT_LIMIT = 60.0

#: Seconds between interruptions of a plugin that went on after one.
AGAIN = 0.1

#: Seeds, and learning rates of a grid, that a number may stand for: more is probably a typo, and would fill the memory.
MOST = 10_000

#: What the lists of a suite, multiplied, may come to. A plan is held in memory, and planning loads each problem's data.
MOST_PROBLEMS, MOST_RUNS = 1_000, 200_000


def as_tuple(value: Any) -> Any:
    """A list as a tuple; one value as a tuple of it."""
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)


def as_rates(value: Any) -> Any:
    """The rates that a list, one number, ``{linspace = …}`` or ``{logspace = …}`` stands for."""
    if not isinstance(value, dict):
        return tuple(_number(rate, "learning rate") for rate in as_tuple(value))
    strange = [key for key in value if key not in ("linspace", "logspace")]
    if strange:
        raise unknown("grid of learning rates", strange[0], ["linspace", "logspace"])
    if len(value) != 1:
        raise GdbenchError(f"give one of {{ linspace = [first, last, number] }} and {{ logspace = … }}, not {value}")
    ((kind, ends),) = value.items()
    if not isinstance(ends, (list, tuple)) or len(ends) != 3:
        raise GdbenchError(f"{kind} must be [first, last, number], not {ends!r}")
    first, last = (_number(end, "learning rate") for end in ends[:2])
    if isinstance(ends[2], bool) or not isinstance(ends[2], int) or not 1 <= ends[2] <= MOST:
        raise GdbenchError(f"the number of learning rates must be a whole number in [1, {MOST}], not {ends[2]!r}")
    grid = np.linspace(first, last, ends[2]) if kind == "linspace" else np.geomspace(first, last, ends[2])
    # 12 digits: 0.01 instead of 0.009999999999999998, the same on every platform
    return tuple(float(f"{rate:.12g}") for rate in grid)


def _number(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
        raise GdbenchError(f"a {what} must be a finite number above 0, not {value!r}")
    return float(value)


def as_seeds(value: Any) -> Any:
    """A number of seeds as 0, 1, …; a list as it is."""
    if isinstance(value, int) and not isinstance(value, bool):
        if value < 1:
            raise GdbenchError(f"at least one seed is needed, not {value}")
        if value > MOST:
            raise GdbenchError(f"at most {MOST} seeds are possible, not {value}")
        return tuple(range(value))
    return as_tuple(value)


def as_tuning_seeds(value: Any) -> Any:
    """A number of seeds as MOST, MOST + 1, …, which no number of reporting seeds reaches; a list as it is."""
    seeds = as_seeds(value)
    return tuple(seed + MOST for seed in seeds) if isinstance(value, int) else seeds


def as_named(value: Any) -> Any:
    """Names, and tables of a name with its fields, as a tuple of Named; a list within a table is crossed."""
    return tuple(one for item in as_tuple(value) for one in _named(item))


def _named(item: Any) -> Iterator[Named]:
    if isinstance(item, Named):
        yield item
        return
    if isinstance(item, str):
        item = {"name": item}
    if not isinstance(item, dict) or not isinstance(item.get("name"), str):
        raise GdbenchError(f"give a name, or a table such as {{ name = 'adam', beta1 = 0.9 }}, not {item!r}")
    fields = {key: as_tuple(value) for key, value in item.items() if key != "name"}
    bounded(f"combinations of the fields of {item['name']}", {key: len(values) for key, values in fields.items()}, MOST_SOLVERS)
    for values in itertools.product(*fields.values()):
        yield Named(name=item["name"], fields=tuple(zip(fields, values, strict=True)))


def bounded(what: str, sizes: dict[str, int], most: int) -> int:
    """The product of the sizes of lists that are going to be multiplied.

    Raises
    ------
    GdbenchError
        It is above `most`: the lists are never expanded.
    """
    total = math.prod(sizes.values())
    if total > most:
        factors = " × ".join(f"{size:,} {name}" for name, size in sizes.items() if size > 1)
        raise GdbenchError(f"{total:,} {what} ({factors}), but at most {most:,} are possible: give shorter lists")
    return total


def key(default: Any, description: str, example: str, **limits: Any) -> Any:
    """A field of a table, with what it means and a line of TOML that sets it.

    Parameters
    ----------
    default : Any
        ``...`` for a key that must be given.
    description : str
        One or two sentences, in Markdown.
    example : str
        Shown in the documentation, and checked by the tests.
    **limits : Any
        As for pydantic's ``Field``, such as ``ge=1``.
    """
    return Field(default, description=description, examples=[example], **limits)


class Table(BaseModel):
    """A table of the spec: unknown keys and wrong types are errors, and nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Named(Table):
    """A name with the fields that differ from their defaults."""

    name: str
    fields: tuple[tuple[str, Any], ...] = ()


def unique(values: tuple) -> tuple:
    """The values in order, each once."""
    return tuple(dict.fromkeys(values))


Texts = Annotated[tuple[str, ...], BeforeValidator(as_tuple), Field(min_length=1), AfterValidator(unique)]
Wholes = Annotated[
    tuple[Annotated[int, Field(ge=1)], ...], BeforeValidator(as_tuple), Field(min_length=1), AfterValidator(unique)
]
Rates = Annotated[tuple[float, ...], BeforeValidator(as_rates), Field(min_length=1), AfterValidator(unique)]
Tags = Annotated[tuple[Named, ...], BeforeValidator(as_named), Field(min_length=1)]
Seeds = Annotated[
    tuple[Annotated[int, Field(ge=0, le=2**32 - 1)], ...], BeforeValidator(as_seeds), Field(min_length=1), AfterValidator(unique)
]
TuningSeeds = Annotated[
    tuple[Annotated[int, Field(ge=0, le=2**32 - 1)], ...],
    BeforeValidator(as_tuning_seeds),
    Field(min_length=1),
    AfterValidator(unique),
]
Alphas = Annotated[
    tuple[Annotated[float, Field(ge=0)], ...], BeforeValidator(as_tuple), Field(min_length=1), AfterValidator(unique)
]
Gaps = Annotated[
    tuple[Annotated[float, Field(gt=0, lt=1)], ...], BeforeValidator(as_tuple), Field(min_length=1), AfterValidator(unique)
]
Variant = Literal["batch", "stochastic", "mini-batch"]
Variants = Annotated[tuple[Variant, ...], BeforeValidator(as_tuple), Field(min_length=1), AfterValidator(unique)]
Dtypes = Annotated[
    tuple[Literal["float64", "float32"], ...], BeforeValidator(as_tuple), Field(min_length=1), AfterValidator(unique)
]


class Budget(Table):
    """What a run may spend, how many points of it are recorded, and how many of the reporting seeds are run."""

    epochs: int = key(50, "Passes over the data, at most; of a landscape, steps.", "epochs = 100", ge=1)
    updates: int | None = key(
        None, "At most so many updates: fewer epochs, where these are taken earlier.", "updates = 10000", ge=1
    )
    seconds: float | None = key(
        None,
        "At most so many seconds on the clock of one run; a landscape ends by its epochs alone. With plugins, a pass without "
        "this key is ended after an hour, or after a hundred times what `gdbench plan` estimates for it, whichever is longer; "
        "compiling does not count.",
        "seconds = 10.0",
        gt=0,
    )
    record: int = key(40, "Points on a curve, at the same numbers of samples for every solver of a problem.", "record = 25", ge=2)
    seeds: int | None = key(None, "Only so many of the reporting seeds, where runs are long.", "seeds = 5", ge=1)


class BudgetOverride(Table):
    """The keys of a budget that a problem sets for itself."""

    epochs: int | None = key(None, "As of the suite's budget.", "epochs = 100", ge=1)
    updates: int | None = key(None, "As of the suite's budget.", "updates = 10000", ge=1)
    seconds: float | None = key(None, "As of the suite's budget.", "seconds = 10.0", gt=0)
    record: int | None = key(None, "As of the suite's budget.", "record = 25", ge=2)
    seeds: int | None = key(None, "As of the suite's budget.", "seeds = 5", ge=1)


#: The keys of a problem that is a landscape.
OF_LANDSCAPE = ("landscape", "name", "budget")


class ProblemSpec(Table):
    """One entry of ``problems``."""

    data: str | None = key(
        None,
        "A data set's name (`gdbench list datasets`), or the path of a file, relative to the suite's.",
        'data = "diabetes"',
        min_length=1,
    )
    landscape: Annotated[Named | None, BeforeValidator(lambda v: v if v is None else next(_named(v)))] = key(
        None,
        "A function given by its formula (`gdbench list landscapes`) instead of data, beside a `name` and a `budget` alone. An "
        "epoch is then a step, and seeds other than 0 draw the start.",
        'landscape = "rosenbrock"',
    )
    name: str | None = key(None, "The label; by default the data set's name.", 'name = "diabetes, ridge"')
    loss: Annotated[Named | None, BeforeValidator(lambda v: v if v is None else next(_named(v)))] = key(
        None, "A loss (`gdbench list losses`), or a table of its name and fields; by default the data's own.", 'loss = "huber"'
    )
    model: Annotated[Named, BeforeValidator(lambda v: next(_named(v)))] = key(
        Named(name="linear"),
        "`linear`, or a network of one hidden layer. No optimum of a network is claimed: its gaps count from the best value that "
        "any run found.",
        'model = { name = "mlp", hidden = 32, activation = "tanh" }',
    )
    penalty: str | None = key(None, "A penalty (`gdbench list penalties`); none by default.", 'penalty = "l2"')
    alpha: Alphas = key((0.0,), "The penalty's factor α.", "alpha = [1e-4, 1e-3]")
    l1_ratio: float = key(0.15, "The share of l1 in `elasticnet`.", "l1_ratio = 0.5", ge=0, le=1)
    fit_intercept: bool = key(True, "Whether the model has an intercept, which is never penalised.", "fit_intercept = false")
    preprocessing: Annotated[tuple[str, ...] | None, BeforeValidator(lambda v: v if v is None else as_tuple(v))] = key(
        None, "What is done to the columns before; by default the data set's own.", 'preprocessing = "standardise"'
    )
    target: str | None = key(None, "The column to predict, of a file.", 'target = "price"')
    options: dict[str, Any] = key(
        {}, "Arguments of the data set; a list stands for each of its values.", "options = { condition = [10, 1000] }"
    )
    budget: BudgetOverride = key(BudgetOverride(), "Overrides `[budget]`, key by key.", "budget = { epochs = 5 }")

    @model_validator(mode="after")
    def _either(self) -> ProblemSpec:
        if (self.data is None) == (self.landscape is None):
            raise GdbenchError("give either data, a data set's name or a file, or landscape")
        foreign = sorted(self.model_fields_set - {"data", *OF_LANDSCAPE})
        if self.landscape and foreign:
            raise GdbenchError(f"a landscape has no {foreign[0]}; choose from: {', '.join(OF_LANDSCAPE)}")
        return self

    @property
    def label(self) -> str:
        """The name, or what it is made of."""
        plain = self.landscape.name if self.landscape else Path(str(self.data)).stem
        return self.name or (plain if self.model.name == "linear" else f"{plain} {self.model.name}")

    @property
    def size(self) -> int:
        """Problems that the entry stands for."""
        sizes = {"values of alpha": len(self.alpha)}
        sizes |= {f"values of {key}": len(value) for key, value in self.options.items() if isinstance(value, list)}
        return bounded(f"problems of {self.label}", sizes, MOST_PROBLEMS)


class SolverSpec(Table):
    """One entry of ``solvers``."""

    variant: Variants = key(
        ("mini-batch",),
        "How many rows a step takes: `batch` (all), `stochastic` (one) or `mini-batch`.",
        'variant = ["batch", "mini-batch"]',
    )
    batch_size: Wholes = key((32,), "Rows a step of the `mini-batch` variant.", "batch_size = [32, 256]")
    optimizer: Tags = key(
        (Named(name="gd"),),
        "An update rule (`gdbench list optimizers`), or a table of its name and fields.",
        'optimizer = ["gd", { name = "adam", beta1 = 0.8 }]',
    )
    schedule: Tags = key(
        (Named(name="constant"),),
        "How the learning rate changes (`gdbench list schedules`). What counts steps takes a whole number, or a share of a run's "
        "own steps: 0.5 is half of them, 1.0 all.",
        'schedule = { name = "cosine", steps = 0.5 }',
    )
    shuffle: Texts = key(("epoch",), "The order of the rows: `none`, `once`, `epoch`, `block` or `sklearn`.", 'shuffle = "block"')
    dtype: Dtypes = key(("float64",), "The precision of data and weights.", 'dtype = ["float64", "float32"]')
    learning_rates: Rates | None = key(None, "This solver's own grid, instead of the suite's.", "learning_rates = [0.1]")

    @property
    def size(self) -> int:
        """Solvers that the entry stands for."""
        per_variant = {"mini-batch": len(self.batch_size) * len(self.shuffle), "stochastic": len(self.shuffle), "batch": 1}
        sizes = {"variants, batch sizes and orders": sum(per_variant[variant] for variant in self.variant)}
        sizes |= {"optimizers": len(self.optimizer), "schedules": len(self.schedule), "dtypes": len(self.dtype)}
        return bounded("solvers of one entry", sizes, MOST_SOLVERS)


class Spec(Table):
    """A suite."""

    name: str = key("suite", "The suite's name; by default the file's, without `.toml`.", 'name = "my-suite"', min_length=1)
    title: str = key("", "One line for `gdbench list suites` and the report.", 'title = "Momentum on my data"')
    seeds: Seeds = key(
        tuple(range(9)),
        "The seeds that are reported: a number (0, 1, …), or a list. Fewer than nine decide nothing.",
        "seeds = 13",
    )
    tuning_seeds: TuningSeeds = key(
        tuple(range(MOST, MOST + 3)),
        "The seeds on which rates are chosen, others than those that are reported: a number (10000, 10001, …), or a list.",
        "tuning_seeds = 3",
    )
    targets: Gaps = key(
        (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6),
        "Relative gaps (f(w) − f*) ⁄ (f(w₀) − f*), with w₀ = 0, whose costs are reported. The smallest ends a run.",
        "targets = [1e-1, 1e-2, 1e-3]",
    )
    headline: float = key(
        0.0, "The target that solvers are ranked by; by default the one in the middle.", "headline = 1e-2", ge=0, lt=1
    )
    tuning: Literal["time", "gap", "none"] = key(
        "time",
        "The best rate is chosen by `time` (samples to the tightest target reached) or by the final `gap`; `none` takes the one "
        "rate that there then must be.",
        'tuning = "gap"',
    )
    repeats: int = key(
        2, "Timed runs of the first seed; two or more give the A/A spread, 0 leaves the clocks out.", "repeats = 3", ge=0
    )
    baselines: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = key(
        (),
        "`sklearn` for scikit-learn's SGD estimators, `estimators` for GDRegressor and GDClassifier, `scipy` for L-BFGS, CG and "
        "Newton-CG.",
        'baselines = ["sklearn"]',
    )
    plugins: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = key(
        (),
        "Python files, relative to the suite's, that register optimizers, losses, penalties, schedules or baselines. What they "
        "print goes to stderr, and their passes run in processes that a limit can end.",
        'plugins = ["mine.py"]',
    )
    learning_rates: Rates = key(
        (0.001, 0.01, 0.1),
        "The grid of learning rates: a list, `{ linspace = [first, last, number] }` or `{ logspace = [first, last, number] }`, "
        "whose ends are values, not exponents. A grid whose best rate is its lowest or highest is widened there.",
        "learning_rates = { logspace = [1e-4, 1.0, 7] }",
    )
    budget: Budget = key(Budget(), "What a run may spend.", "budget = { epochs = 60 }")
    problems: Annotated[tuple[ProblemSpec, ...], BeforeValidator(as_tuple)] = key(
        ..., "One table `[[problems]]` each.", 'problems = [{ data = "diabetes" }]', min_length=1
    )
    solvers: Annotated[tuple[SolverSpec, ...], BeforeValidator(as_tuple)] = key(
        ..., "One table `[[solvers]]` each.", 'solvers = [{ optimizer = "adam" }]', min_length=1
    )

    @model_validator(mode="before")
    @classmethod
    def _declared_headline(cls, table: Any) -> Any:
        """The target in the middle where none is declared."""
        if not isinstance(table, dict) or table.get("headline") is not None:
            return table
        targets = table.get("targets", cls.model_fields["targets"].default)
        try:
            ladder = sorted(map(float, as_tuple(targets)), reverse=True)
        except (TypeError, ValueError):
            return table  # the targets themselves are wrong, which is told
        return table | {"headline": ladder[(len(ladder) - 1) // 2]} if ladder else table

    @model_validator(mode="after")
    def _seeds_and_headline(self) -> Spec:
        both = sorted(set(self.seeds) & set(self.tuning_seeds))
        if both:
            raise GdbenchError(f"seed {both[0]} is among seeds and tuning_seeds: a rate is not reported on what chose it")
        if self.headline not in self.targets:
            raise GdbenchError(f"headline {self.headline:g} is none of the targets: {', '.join(f'{t:g}' for t in self.targets)}")
        return self

    @model_validator(mode="after")
    def _one_rate_without_tuning(self) -> Spec:
        grids = [self.learning_rates if s.learning_rates is None else s.learning_rates for s in self.solvers]
        if self.tuning == "none" and any(len(grid) > 1 for grid in grids):
            raise GdbenchError('tuning = "none" needs exactly one learning rate a solver')
        return self

    @model_validator(mode="after")
    def _not_too_large(self) -> Spec:
        """Multiply the lengths of all lists before anything expands them."""
        problems, solvers = sum(p.size for p in self.problems), sum(s.size for s in self.solvers)
        bounded("problems", {"problems": problems}, MOST_PROBLEMS)
        bounded("solvers", {"solvers": solvers}, MOST_SOLVERS)
        rates = sum(s.size * len(self.learning_rates if s.learning_rates is None else s.learning_rates) for s in self.solvers)
        seeds = max(len(self.seeds), len(self.tuning_seeds))
        bounded("runs", {"seeds": seeds, "solvers at a learning rate": rates, "problems": problems}, MOST_RUNS)
        return self


def builtin_names() -> list[str]:
    """The names of the built-in suites.

    Returns
    -------
    list of str
        The quickstart first, ``full`` last, the others sorted.
    """
    rank = {"quickstart": 0, "full": 2}
    return sorted((path.stem for path in FOLDER.glob("*.toml")), key=lambda name: (rank.get(name, 1), name))


def load(name_or_path: str | Path) -> Spec:
    """Read and check a suite.

    Parameters
    ----------
    name_or_path : str or path
        A built-in name, or a TOML file.

    Returns
    -------
    Spec
        With the paths of plugins and data files made absolute; its plugins are imported.

    Raises
    ------
    GdbenchError
        One line that names the key, the value and what is valid.
    """
    path = _file_of(str(name_or_path))
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise GdbenchError(f"cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise GdbenchError(f"{path.name} is not valid TOML: {one_line(error)}") from None
    return check({"name": path.stem} | table, path)


def _file_of(given: str) -> Path:
    if given in builtin_names():
        return FOLDER / f"{given}.toml"
    path = Path(given).expanduser()
    if path.suffix != ".toml" and not path.is_file():
        raise GdbenchError(f"{unknown('suite', given, builtin_names())}; or give the path of a TOML file")
    return path


def check(table: dict[str, Any], path: Path) -> Spec:
    """A parsed table as a Spec whose every name is known."""
    try:
        spec = Spec.model_validate(table)
    except ValidationError as error:
        raise GdbenchError(f"{path.name}: {_explain(error, table)}") from None
    spec = _absolute(spec, path.parent)
    for key, checked in _names(spec):
        try:
            checked()
        except GdbenchError as error:
            text = str(error).removeprefix(f"{key}: ")
            raise GdbenchError(f"{path.name}: {key}: {text}") from None
    return spec


def resolved(stored: dict[str, Any]) -> Spec:
    """The Spec whose resolved form a results folder stores, its plugins imported.

    Parameters
    ----------
    stored : dict
        What ``model_dump(mode="json")`` of a Spec gave.
    """
    problems = [{k: v for k, v in p.items() if not p["landscape"] or k in OF_LANDSCAPE} for p in stored["problems"]]
    spec = Spec.model_validate(_named_tables(stored | {"problems": problems}))
    import_plugins(spec.plugins)
    return spec


def _named_tables(value: Any) -> Any:
    """A stored value with each name and list of fields as the table that TOML has for it."""
    if isinstance(value, list):
        return [_named_tables(item) for item in value]
    if isinstance(value, dict) and value.keys() == Named.model_fields.keys():
        return {"name": value["name"]} | {key: [field] for key, field in value["fields"]}
    return {key: _named_tables(item) for key, item in value.items()} if isinstance(value, dict) else value


def _names(spec: Spec) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Each key whose value names something, with what raises if there is no such thing; plugins come first."""
    yield "plugins", lambda: import_plugins(spec.plugins)
    for name in spec.baselines:
        yield "baselines", partial(_among, "baseline", name, all_baselines.names())
    for i, problem in enumerate(spec.problems):
        key = f"problems[{i}]"
        for part, registry in (("landscape", landscapes.registry), ("loss", losses.registry)):
            named = getattr(problem, part)
            if named:
                yield f"{key}.{part}", partial(_made, registry, named)
        yield f"{key}.model", partial(model_of, problem.model.name, **dict(problem.model.fields))
        if problem.penalty is not None:
            yield f"{key}.penalty", partial(_among, "penalty", problem.penalty, penalties.registry.names())
        if problem.preprocessing is not None:
            yield f"{key}.preprocessing", partial(preprocess.steps, problem.preprocessing)
        if problem.data is not None and problem.data not in catalog.names():
            yield f"{key}.data", partial(_there, problem.data)
    for i, solver in enumerate(spec.solvers):
        key = f"solvers[{i}]"
        for part, registry in (("optimizer", optimizers.registry), ("schedule", schedules.registry)):
            for named in getattr(solver, part):
                yield f"{key}.{part}", partial(_made, registry, named)
        for name in solver.shuffle:
            yield f"{key}.shuffle", partial(_among, "shuffle", name, order.registry.names())
        yield key, lambda solver=solver: list(expand_solver(solver, spec.learning_rates))  # type: ignore[misc]


def _made(registry: Any, named: Named) -> Any:
    return registry.make(named.name, **dict(named.fields))


def _there(name: str) -> None:
    if not file_of(name).is_file():
        raise GdbenchError(f"no such file: {name}; its path is relative to the spec")


def _among(kind: str, name: str, choices: list[str]) -> None:
    if name not in choices:
        raise unknown(kind, name, choices)


#: What pydantic finds wrong, in words that fit a TOML file; in braces what it knows of the limit.
WORDS = {
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "string_type": "must be text, in quotes",
    "bool_type": "must be true or false",
    "dict_type": "must be a table, such as {{ key = value }}",
    "model_type": "must be a table, such as {{ key = value }}",
    "model_attributes_type": "must be a table, such as {{ key = value }}",
    "string_too_short": "must not be empty",
    "too_short": "give at least one value",
    "greater_than_equal": "must be at least {ge:g}",
    "greater_than": "must be above {gt:g}",
    "less_than_equal": "must be at most {le:g}",
    "less_than": "must be below {lt:g}",
}


def _explain(error: ValidationError, table: dict[str, Any]) -> str:
    """The first error of a validation: key, value and what is valid, in one line."""
    first = error.errors(include_url=False)[0]
    place = [part for part in first["loc"] if not (isinstance(part, str) and "[" in part)]
    key = _key(place, table)
    if first["type"] == "extra_forbidden":
        *parents, name = place
        tables: dict[str, type[Table]] = {"problems": ProblemSpec, "solvers": SolverSpec, "budget": Budget, "": Spec}
        words = [part for part in parents if isinstance(part, str)] or [""]
        return f"{key}: {unknown('key', name, tables.get(words[-1], Spec).model_fields)}"
    if first["type"] == "missing":
        return f"{key}: missing, and it has no default"
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, GdbenchError):
        return f"{key}: {cause}" if key else str(cause)
    if first["type"] == "literal_error":
        choices = first["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
        return f"{key}: {unknown('value', first['input'], choices)}"
    message = first["msg"][0].lower() + first["msg"][1:]
    if first["type"] in WORDS:
        message = WORDS[first["type"]].format(**first.get("ctx", {}))
    given = list(first["input"]) if isinstance(first["input"], tuple) else first["input"]
    return f"{key} = {given!r}: {message}"


def _key(place: list[Any], table: Any) -> str:
    """A key as in the file: "problems[0].alpha"; the number of a value that is not in a list is left out."""
    key, here = "", table
    for part in place:
        if isinstance(part, int):
            if not isinstance(here, (list, tuple)):
                continue
            key, here = f"{key}[{part}]", here[part] if part < len(here) else None
        else:
            key, here = f"{key}.{part}" if key else part, here.get(part) if isinstance(here, dict) else None
    return key


def _absolute(spec: Spec, folder: Path) -> Spec:
    """The spec with paths that are relative to its file made absolute."""

    def fixed(text: str) -> str:
        found = folder / Path(text).expanduser()
        return str(found.resolve()) if found.is_file() else text

    named = [(p, {"name": p.label, "data": p.data and fixed(p.data)}) for p in spec.problems]
    problems = tuple(p.model_copy(update=update) for p, update in named)
    plugins = tuple(fixed(plugin) for plugin in spec.plugins)
    return spec.model_copy(update={"problems": problems, "plugins": plugins})


def import_plugins(paths: Iterable[str]) -> None:
    """Import Python files that register optimizers, losses, penalties, schedules or baselines; each file once a process."""
    for path in paths:
        import_plugin(plugin_module(path), path)


def import_plugin(name: str, path: str) -> None:
    """Import a Python file under a name, once a process."""
    if name in sys.modules:
        return
    found = importlib.util.spec_from_file_location(name, path)
    if found is None or found.loader is None or not Path(path).is_file():
        raise GdbenchError(f"plugins: {path} is not a Python file that can be read")
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module
    try:
        with stdout_to_stderr(), interrupted(IMPORT_LIMIT):
            found.loader.exec_module(module)
    except (Exception, SystemExit, Overtime) as error:  # a script that ends itself would end gdbench
        del sys.modules[name]
        text = f"plugins: {Path(path).name} failed with {type(error).__name__}: {one_line(error)}"
        raise GdbenchError(text) from error


class Overtime(BaseException):
    """A plugin has not ended in time; it derives from what `except Exception` lets through."""


@contextlib.contextmanager
def interrupted(seconds: float) -> Iterator[None]:
    """Raise Overtime after so many seconds of Python, and again until it gets through, where system and thread allow it."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    left = False

    def stop(*_: Any) -> None:
        if not left:
            raise Overtime(f"it has not ended after {seconds:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    try:
        yield
    finally:
        left = True
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def plugin_module(path: str) -> str:
    """The name under which a plugin is imported; an edited file is another module."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise GdbenchError(f"plugins: cannot read {path}: {error.strerror}") from None
    return f"gdbench_plugin_{Path(path).stem}_{hashlib.sha256(content).hexdigest()[:12]}"


def refuse_own_rate(schedule: Named) -> None:
    """Raise where a schedule brings a learning rate along: a solver's come from learning_rates."""
    for name, value in schedule.fields:
        if name == "learning_rate":
            told = f"schedule {schedule.name}: learning_rate = {value!r} would be replaced by each of the learning_rates"
            raise GdbenchError(f"{told}: give it there, for this solver learning_rates = [{value!r}]")


def expand_solver(entry: SolverSpec, rates: tuple[float, ...]) -> Iterator[tuple[Solver, tuple[float, ...]]]:
    """Each solver that an entry stands for, with its learning rates; names and fields are checked.

    A batch size is a matter of mini-batches, and a row order none of batches: lists of them do not multiply the others.
    """
    for named in entry.schedule:
        refuse_own_rate(named)
    seen = set()
    axes = (entry.variant, entry.batch_size, entry.optimizer, entry.schedule, entry.shuffle, entry.dtype)
    for variant, size, optimizer, schedule, shuffle, dtype in itertools.product(*axes):
        solver = Solver(
            variant=variant,
            batch_size={"batch": None, "stochastic": 1}.get(variant, size),
            optimizer=optimizer.name,
            optimizer_fields=optimizer.fields,
            schedule=schedule.name,
            schedule_fields=marked(schedules.registry[schedule.name], schedule.fields),
            shuffle="none" if variant == "batch" else shuffle,
            dtype=dtype,
        )
        solver.setting()  # raises on what is not valid
        if solver not in seen:
            seen.add(solver)
            yield solver, entry.learning_rates or rates


def part(spec: Spec, problems: Iterable[str] = (), solvers: Iterable[str] = (), seeds: int | None = None) -> Spec:
    """The part of a suite that filters leave; its runs are those of the whole suite.

    Parameters
    ----------
    spec : Spec
    problems : iterable of str
        Labels; none keeps all problems.
    solvers : iterable of str
        Names of optimizers, or solvers' labels; none keeps all solvers. Baselines stay.
    seeds : int, optional
        So many reporting seeds, instead of the suite's.

    Raises
    ------
    GdbenchError
        Nothing in the suite has a name.
    """
    changes: dict[str, Any] = {}
    if problems:
        changes["problems"] = _named_so("problem", problems, [((p.label,), p) for p in spec.problems])
    if solvers:
        single = [one for entry in spec.solvers for one in _singles(entry)]
        labels = [(next(expand_solver(one, spec.learning_rates))[0].label, one) for one in single]
        changes["solvers"] = _named_so("solver", solvers, [((label, one.optimizer[0].name), one) for label, one in labels])
    if seeds is not None:
        changes["seeds"] = as_seeds(seeds)
        both = set(changes["seeds"]) & set(spec.tuning_seeds)
        if both:
            raise GdbenchError(f"seed {min(both)} is among the suite's tuning_seeds: a rate is not reported on what chose it")
    return spec.model_copy(update=changes)


def _singles(entry: SolverSpec) -> Iterator[SolverSpec]:
    """The entries of one value each that an entry of lists stands for."""
    axes = ("variant", "batch_size", "optimizer", "schedule", "shuffle", "dtype")
    seen = set()
    for values in itertools.product(*(getattr(entry, axis) for axis in axes)):
        one = entry.model_copy(update={axis: (value,) for axis, value in zip(axes, values, strict=True)})
        solver = next(expand_solver(one, ()))[0]
        if solver not in seen:
            seen.add(solver)
            yield one


def _named_so(kind: str, wanted: Iterable[str], named: list[tuple[tuple[str, ...], Any]]) -> tuple[Any, ...]:
    """The things that have one of the wanted names, in their own order."""
    wanted = list(wanted)
    known = {name for names, _ in named for name in names}
    for name in wanted:
        if name not in known:
            raise unknown(kind, name, sorted(known))
    return tuple(thing for names, thing in named if set(names) & set(wanted))


def quick(spec: Spec) -> Spec:
    """A reduced suite: the first seed of either kind, at most three rates of a grid, a fifth of the epochs."""

    def fewer(rates: tuple[float, ...] | None) -> Any:
        if rates is None or len(rates) <= 3:
            return rates
        return tuple(rates[i] for i in sorted({1, len(rates) // 2, len(rates) - 2}))

    def shorter(budget: Any) -> Any:
        return budget if budget.epochs is None else budget.model_copy(update={"epochs": max(2, -(-budget.epochs // 5))})

    problems = tuple(p.model_copy(update={"budget": shorter(p.budget)}) for p in spec.problems)
    solvers = tuple(s.model_copy(update={"learning_rates": fewer(s.learning_rates)}) for s in spec.solvers)
    seeds = {"seeds": spec.seeds[:1], "tuning_seeds": spec.tuning_seeds[:1]}
    changes = seeds | {"learning_rates": fewer(spec.learning_rates), "budget": shorter(spec.budget)}
    return spec.model_copy(update=changes | {"problems": problems, "solvers": solvers})
