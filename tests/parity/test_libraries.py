"""The complete tables of the libraries: in a file of their own, which takes a process of its own."""

from importlib.util import find_spec

import pytest

from gdbench import parity

#: The modules of a reference that is not named after its own.
MODULES = {"oracles": ["pytorch_optimizer", "schedulefree", "prodigyopt"]}


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # within Keras, at each of 46,000 steps
@pytest.mark.parametrize("name", ["torch", "optax", "keras", "oracles"])
def test_every_case_of_a_library_agrees(name):
    # not importorskip: Keras without its default backend fails to import, and would be left out where it is installed
    if any(find_spec(module) is None for module in MODULES.get(name, [name])):
        pytest.skip(f"the extra {name} is not installed: pip install 'gdbench[{name}]'")
    rows = parity.validate(name)
    assert len(rows) >= 36
    assert [f"{row.case}: {row.relative} {row.note}" for row in rows if row.status != "passed"] == []
