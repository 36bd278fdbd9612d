"""The benchmarks folder as asv imports it."""

import importlib.util
import sys

import pytest


@pytest.fixture(scope="module", autouse=True)
def package(root):
    """The benchmarks folder, as asv imports it: a package of that name."""
    folder = root / "benchmarks"
    spec = importlib.util.spec_from_file_location("benchmarks", folder / "__init__.py", submodule_search_locations=[str(folder)])
    sys.modules["benchmarks"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules["benchmarks"])
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == "benchmarks"]:
        del sys.modules[name]
