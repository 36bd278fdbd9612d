"""Every code block and command of the README runs."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
SHELL = [
    line.split("#")[0].strip()
    for block in re.findall(r"```bash\n(.*?)```", TEXT, re.DOTALL)
    for line in block.splitlines()
    if line.strip()
]


def test_the_readme_has_blocks_to_run():
    assert len(PYTHON) >= 5
    assert len(SHELL) >= 8


def test_the_times_beside_peers_are_those_of_the_committed_table():
    measured = (ROOT / "reports" / "peers.md").read_text(encoding="utf-8").splitlines()
    shown = [line.removesuffix("|") for line in TEXT.splitlines() if re.match(r"\|.*× \[", line)]
    assert len(shown) >= 20
    for line in shown:
        assert any(whole.startswith(line) for whole in measured), line


def test_python_blocks_run_in_turn(tmp_path):
    (tmp_path / "reports").mkdir()
    script = tmp_path / "readme.py"
    script.write_text("\n".join(PYTHON), encoding="utf-8")
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "diverged" in done.stdout


@pytest.mark.parametrize("command", [c for c in SHELL if c.startswith("gdbench")])
def test_commands_run(command, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp() / "readme"
    folder.mkdir(exist_ok=True)
    words = [sys.executable, "-m", *shlex.split(command)]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=400, env=os.environ)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", [c for c in SHELL if c.startswith("make")])
def test_make_knows_its_targets(command):
    done = subprocess.run([*shlex.split(command), "--dry-run"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_command_is_of_a_kind_that_is_run():
    assert all(c.startswith(("gdbench", "make")) for c in SHELL)
