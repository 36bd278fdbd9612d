"""Run keys: they follow the code that a run executes, the user's code in it, and the versions of the libraries."""

import ast
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest

from gdbench import optimizers
from gdbench.suite import identity, plan, spec
from gdbench.suite.spec import import_plugin, plugin_module

EXECUTED = identity.modules()

BEFORE = identity.fingerprint()["code"]

#: The folders of gdbench that a run executes code of; each gives one of its modules to the test of edits.
FOLDERS = {path.relative_to(identity.PACKAGE).parent.as_posix(): path for path in EXECUTED.values() if path.stem != "__init__"}


@pytest.fixture
def package(tmp_path):
    """A copy of the package."""
    return shutil.copytree(identity.PACKAGE, tmp_path / "gdbench", ignore=shutil.ignore_patterns("__pycache__", "datasets"))


def edit_a_body(path):
    """Change what the first function of a file does."""
    tree = ast.parse(path.read_text())
    function = next(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    function.body.append(ast.Expr(ast.Constant("changed")))
    path.write_text(ast.unparse(tree))


def test_every_folder_that_makes_numbers_is_covered():
    wanted = {"kernels", "kernels/losses", "kernels/optimizers", "kernels/models", "kernels/landscapes", "tasks", "problems"}
    assert wanted | {"solve", "estimators", "baselines", "suite"} <= set(FOLDERS)


def test_the_digest_is_that_of_the_files_wherever_they_are(package):
    assert identity.code_digest(package) == BEFORE


@pytest.mark.parametrize("folder", FOLDERS)
def test_an_edited_body_changes_the_key(package, folder):
    edit_a_body(package / FOLDERS[folder].relative_to(identity.PACKAGE))
    assert identity.code_digest(package) != BEFORE


@pytest.mark.parametrize("name", ["cli.py", "report/words.py", "report/page.py", "demo/costs.py", "suite/run.py"])
def test_an_edit_of_what_only_shows_or_stores_results_does_not(package, name):
    edit_a_body(package / name)
    assert identity.code_digest(package) == BEFORE


def test_a_new_module_that_a_run_imports_counts_from_the_start(package):
    (package / "tasks" / "more.py").write_text("MORE = 1\n")
    assert identity.code_digest(package) == BEFORE
    with (package / "solve" / "descent.py").open("a") as file:
        file.write("\ndef later():\n    from gdbench.tasks import more\n    return more\n")
    imported = identity.code_digest(package)
    (package / "tasks" / "more.py").write_text("MORE = 2\n")
    assert len({BEFORE, imported, identity.code_digest(package)}) == 3


def test_line_ends_do_not_count(package):
    path = package / "solve" / "descent.py"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert identity.code_digest(package) == BEFORE


LOADING = """
import sys
from gdbench import baselines
from gdbench.suite import execute, plan, spec
made = plan.make(spec.quick(spec.load(sys.argv[1])))
for name in baselines.names():
    baselines.get(name)
for work in {work.solver.backend: work for work in made.passes}.values():
    assert execute.execute(work)[0].row["status"] != "failed"
print(*(name for name in sys.modules if name.partition(".")[0] == "gdbench"))
"""


@pytest.mark.thorough
def test_what_a_run_loads_is_what_its_key_covers(tiny):
    told = subprocess.run([sys.executable, "-c", LOADING, str(tiny)], capture_output=True, text=True, check=True).stdout
    loaded = set(told.split())
    assert "gdbench.baselines.sklearn" in loaded
    assert loaded <= set(EXECUTED)


def key(solver=None, suite=None):
    """The key of one run."""
    suite = suite or spec.Spec.model_validate(
        {"name": "a", "problems": [{"data": "diabetes"}], "solvers": [{}], "learning_rates": [0.1]}
    )
    (case, *_) = plan.cases(suite)
    solver = solver or next(spec.expand_solver(suite.solvers[0], suite.learning_rates))[0]
    return plan.build(suite, case, solver, 0, (0.1,), "d", (10, 2, 1)).runs[0].run_id


@pytest.mark.parametrize("what", ["code", "python", "numpy", "scipy", "scikit-learn", "numba", "llvmlite", "cpu"])
def test_the_key_follows_code_versions_and_processor(monkeypatch, what):
    before, here = key(), identity.fingerprint()
    assert here[what]
    plan._identity.cache_clear()
    try:
        monkeypatch.setattr(plan, "fingerprint", lambda: here | {what: "another"})
        assert key() != before
    finally:
        plan._identity.cache_clear()
    monkeypatch.undo()
    assert key() == before


RULE = """
from typing import NamedTuple
from gdbench import optimizers
import gdbench_test_helper

@optimizers.register
class Shrinking(NamedTuple):
    slots = ()
    name = "shrinking"

    def step(self, w, g, state, rate, t):
        return gdbench_test_helper.shrunk(w) - rate * g, ()
"""


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """A function that writes an optimizer's file and a helper that it imports, and loads both."""
    monkeypatch.syspath_prepend(tmp_path)

    def load(rule=RULE, helper="def shrunk(w):\n    return w\n"):
        (tmp_path / "gdbench_test_helper.py").write_text(helper)
        (tmp_path / "rule.py").write_text(rule)
        sys.modules.pop("gdbench_test_helper", None)
        path = str(tmp_path / "rule.py")
        sys.modules.pop(plugin_module(path), None)
        import_plugin(plugin_module(path), path)

    yield load
    optimizers.registry._members.pop("shrinking", None)


@pytest.mark.parametrize("inside", [False, True], ids=["alone", "inside of another rule"])
def test_the_key_follows_a_plugin_and_what_it_imports(plugin, inside):
    plugin()
    solver = plan.Solver("batch", None, "shrinking")
    if inside:
        solver = replace(solver, optimizer="averaged", optimizer_fields=(("rule", "shrinking"),))
    found = [key(solver)]
    plugin(RULE + "\n# edited\n")
    found.append(key(solver))
    plugin(RULE + "\n# edited\n", "def shrunk(w):\n    return 2 * w\n")
    found.append(key(solver))
    assert len(set(found)) == 3
    assert key(solver) == found[-1]
