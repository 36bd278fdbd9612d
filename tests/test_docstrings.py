"""Every public object has a docstring that numpydoc passes."""

import inspect
from functools import cached_property

import pytest

import gdbench as gd
from gdbench import suite

numpydoc = pytest.importorskip("numpydoc.docscrape", reason="the extra test is not installed")
from numpydoc.validate import validate  # noqa: E402

#: Sections that stand where they help: a longer summary, "See Also", examples. A first line may begin with a formula, and stands
#: behind the opening quotes, where numpydoc looks for it from 1.11 on.
LEFT_OUT = {"ES01", "SA01", "EX01", "SS02", "GL01"}

#: The signature that Python shows of `sweep` names each option; its docstring sends a reader to `fit` for them.
KNOWN = {"gdbench.sweep": {"PR01", "PR02"}}


def public():
    """The names of all public objects: what the package and its suites name, their methods and properties, and every rule."""
    named = [("gdbench", name, getattr(gd, name)) for name in gd.__all__]
    named += [("gdbench.suite", name, getattr(suite, name)) for name in suite.__all__]
    for home, name, thing in named:
        if inspect.ismodule(thing):
            yield from (f"{one.__module__}.{one.__qualname__}" for one in thing.registry if one.__module__.startswith("gdbench."))
            continue
        yield f"{home}.{name}"
        if inspect.isclass(thing):
            kinds = (property, cached_property, classmethod, staticmethod)
            own = [key for key, value in vars(thing).items() if inspect.isfunction(value) or isinstance(value, kinds)]
            yield from (f"{home}.{name}.{key}" for key in own if key[0] != "_")
    yield "gdbench.report.write"


PUBLIC = sorted(set(public()))


def faults(name: str) -> list[str]:
    """What numpydoc finds wrong; the fields of a tuple or data class may be attributes, and of a rule stand in its formula."""
    found = validate(name)
    wrong = [(code, text) for code, text in found["errors"] if code not in LEFT_OUT | KNOWN.get(name, set())]
    fields = fields_of(name)
    if fields:
        told = found["docstring"] or ""
        wrong = [(code, text) for code, text in wrong if code != "PR01"]
        wrong += [("PR01", f"nothing tells of the field {field}") for field in fields if field not in told]
    return [f"{code} {text}" for code, text in wrong]


def fields_of(name: str) -> tuple[str, ...]:
    """The fields of a tuple or a data class; none of anything else."""
    thing = numpydoc_object(name)
    return tuple(getattr(thing, "_fields", getattr(thing, "__dataclass_fields__", ()))) if inspect.isclass(thing) else ()


def numpydoc_object(name: str):
    """The object of a dotted name."""
    from numpydoc.validate import Validator

    return Validator._load_obj(name)


def test_there_is_much_to_check():
    assert len(PUBLIC) > 120
    assert {"gdbench.fit", "gdbench.Fit.predict", "gdbench.suite.run_suite", "gdbench.kernels.optimizers.adam.Adam"} <= set(
        PUBLIC
    )


def test_a_fault_is_seen(monkeypatch):
    monkeypatch.setattr(gd.replay, "__doc__", "apply a rule.")
    assert any(fault.startswith("PR01") for fault in faults("gdbench.replay"))


@pytest.mark.parametrize("name", PUBLIC)
def test_docstrings_pass(name):
    assert faults(name) == []
