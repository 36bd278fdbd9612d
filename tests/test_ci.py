"""What the checks on main promise: they run the README's command, and leave nothing out for want of a library."""

import os
import re
import shutil
import subprocess
import sys

SKIPPING = """
import pytest

def test_of_an_extra():
    pytest.importorskip("no_such_library", reason="the extra torch is not installed")

def test_of_another_system():
    pytest.skip("reads /proc")

@pytest.mark.thorough
def test_of_a_whole_product():
    pass
"""


def test_where_everything_is_installed_nothing_thorough_is_left_out_and_a_missing_extra_fails(tmp_path, root):
    shutil.copy(root / "tests" / "conftest.py", tmp_path)
    (tmp_path / "test_skipping.py").write_text(SKIPPING)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    thorough\n")
    told = []
    for live in ("1", ""):
        how = {"cwd": tmp_path, "env": os.environ | {"GDBENCH_LIVE": live}, "capture_output": True, "text": True}
        told.append(subprocess.run([sys.executable, "-m", "pytest", "-q", tmp_path], **how))
    assert "1 failed, 1 passed, 1 skipped" in told[0].stdout and "nothing may be left out here" in told[0].stdout, told[0].stdout
    assert told[0].returncode == 1
    assert "3 skipped" in told[1].stdout, told[1].stdout


def test_every_library_that_a_test_may_miss_is_called_an_extra(root):
    """So that the rule above knows it; benchopt is no extra, and nothing of ours needs it."""
    reasons = [
        (path.name, line.strip())
        for path in (root / "tests").rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if "importorskip(" in line and '"resource"' not in line and path.name != "test_ci.py"
    ]
    assert reasons and all("the extra " in line for _, line in reasons), reasons


def test_main_is_checked_by_the_command_that_the_readme_gives_and_its_line_comes_last(root):
    script = [line.strip() for line in (root / ".ci" / "run").read_text(encoding="utf-8").splitlines() if line.strip()]
    assert script[-1] == "make test LIVE=1"
    assert re.search(r"^make test\b", (root / "README.md").read_text(encoding="utf-8"), re.MULTILINE)


def test_every_make_target_of_the_workflows_exists(root):
    workflows = [path.read_text(encoding="utf-8") for path in (root / ".github" / "workflows").glob("*.yml")]
    targets = {target for text in workflows for target in re.findall(r"- run: make ([a-z-]+)", text)}
    assert {"test", "lint", "test-docs", "dist"} <= targets
    known = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert targets <= known


def test_only_the_job_that_publishes_may_write(root):
    """And it publishes without a secret, what another job has tried."""
    text = (root / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    before, publish = text.split("\n  publish:\n")
    assert ": write" not in before and "id-token: write" in publish and "needs: try" in publish
    assert "secrets." not in text
