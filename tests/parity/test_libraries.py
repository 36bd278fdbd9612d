"""The complete tables of PyTorch, optax and Keras: in a file of their own, which takes a process of its own."""

from importlib.util import find_spec

import pytest

from gdbench import parity


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # within Keras, at each of 46,000 steps
@pytest.mark.parametrize("name", ["torch", "optax", "keras"])
def test_every_case_of_a_library_agrees(name):
    # not importorskip: Keras without its default backend fails to import, and would be left out where it is installed
    if find_spec(name) is None:
        pytest.skip(f"the extra {name} is not installed: pip install 'gdbench[{name}]'")
    rows = parity.validate(name)
    assert len(rows) >= 40
    assert [f"{row.case}: {row.relative} {row.note}" for row in rows if row.status != "passed"] == []
