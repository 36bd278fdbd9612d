"""The complete tables of PyTorch, optax and Keras: in a file of their own, which takes a process of its own."""

import pytest

from gdbench import parity


@pytest.mark.parametrize("name", ["torch", "optax", "keras"])
def test_every_case_of_a_library_agrees(name):
    pytest.importorskip(name, reason=f"the extra {name} is not installed: pip install 'gdbench[{name}]'")
    rows = parity.validate(name)
    assert len(rows) >= 40
    assert [f"{row.case}: {row.relative} {row.note}" for row in rows if row.status != "passed"] == []
