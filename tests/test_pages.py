"""Every code block and command of README.md, CONTRIBUTING.md and docs/ runs.

Blocks after `<!-- heavy -->` run with --slow: each night, and where the documentation is built.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

from gdbench.suite import spec
from gdbench.suite.environment import VARIABLES

ROOT = Path(__file__).resolve().parent.parent
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(p for p in (ROOT / "docs").rglob("*.md") if "generated" not in p.parts),
]


class Block(NamedTuple):
    """A block of code of a page."""

    page: str
    kind: str
    text: str
    heavy: bool


def blocks_of(page: Path) -> list[Block]:
    """The blocks of Python and shell of a page, in turn."""
    found = re.findall(r"(<!-- heavy -->\n)?```(python|bash)\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    return [Block(page.relative_to(ROOT).as_posix(), kind, text, bool(mark)) for mark, kind, text in found]


BLOCKS = [block for page in PAGES for block in blocks_of(page)]
WITH_PYTHON = sorted({block.page for block in BLOCKS if block.kind == "python"})
SHELL = [
    (block.page, line.split("  #")[0].strip(), block.heavy)
    for block in BLOCKS
    if block.kind == "bash"
    for line in block.text.splitlines()
    if line.strip()
]

#: Runs the pages of a file one after the other in one process, which loads and compiles once; each has a folder of its own.
DRIVER = """
import json, os, sys, traceback
pages = json.load(open(sys.argv[1]))
sys.path.append(sys.argv[2])
told = {}
for page, (folder, text) in pages.items():
    os.makedirs(folder, exist_ok=True)
    os.chdir(folder)
    try:
        exec(compile(text, page, "exec"), {"__name__": "a page"})
        told[page] = ""
    except BaseException:
        told[page] = traceback.format_exc()
json.dump(told, open(sys.argv[1], "w"))
"""


def folder_of(base: Path, page: str) -> Path:
    """Where a page's blocks run."""
    return base / "pages" / page.replace("/", "-").removesuffix(".md")


@pytest.fixture(scope="module")
def ran(request, tmp_path_factory) -> dict[str, str]:
    """What went wrong on each page; empty for nothing."""
    base = tmp_path_factory.getbasetemp()
    slow = request.config.getoption("--slow")
    texts = {
        page: "\n".join(b.text for b in BLOCKS if b.page == page and b.kind == "python" and (slow or not b.heavy))
        for page in WITH_PYTHON
    }
    order = base / "pages.json"
    order.write_text(json.dumps({page: (str(folder_of(base, page)), text) for page, text in texts.items()}), encoding="utf-8")
    done = subprocess.run([sys.executable, "-c", DRIVER, order, ROOT], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    return json.loads(order.read_text(encoding="utf-8"))


def test_the_pages_have_blocks_to_run():
    assert {"README.md", "CONTRIBUTING.md", "docs/start.md", "docs/guides/teach.md"} <= set(WITH_PYTHON)
    assert len(SHELL) >= 20
    assert len([block for block in BLOCKS if block.heavy]) < len(BLOCKS) / 2


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=[pytest.mark.thorough] * (page == "CONTRIBUTING.md")) for page in WITH_PYTHON]
)
def test_python_blocks_run_in_turn(page, ran):
    assert not ran[page]


def commands(kind: str) -> list:
    """The commands that begin with a word, each once, in the order of the pages; the heavy ones marked as slow."""
    found = dict.fromkeys((page, line, heavy) for page, line, heavy in SHELL if line.startswith(kind))
    return [pytest.param(page, line, marks=[pytest.mark.slow] * heavy) for page, line, heavy in found]


@pytest.mark.parametrize(("page", "command"), commands("gdbench"))
def test_commands_run(page, command, ran, tmp_path_factory):
    folder = folder_of(tmp_path_factory.getbasetemp(), page)
    folder.mkdir(parents=True, exist_ok=True)
    words = [sys.executable, "-m", *shlex.split(command)]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=600, env=os.environ)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", sorted({line for _, line, _ in SHELL if line.startswith("make")}))
def test_make_knows_its_targets(command):
    done = subprocess.run([*shlex.split(command), "--dry-run"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_command_is_of_a_kind_that_is_run():
    assert all(line.startswith(("gdbench", "make", "pip install")) for _, line, _ in SHELL)


def test_the_times_beside_peers_are_those_of_the_committed_table():
    measured = (ROOT / "reports" / "peers.md").read_text(encoding="utf-8").splitlines()
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = [line.removesuffix("|") for line in text.splitlines() if re.match(r"\|.*× \[", line)]
    assert len(shown) == 10
    for line in shown:
        assert any(whole.startswith(line) for whole in measured), line


@pytest.fixture(scope="module")
def reference():
    """The script that makes the generated parts of the documentation."""
    found = importlib.util.spec_from_file_location("docs_reference", ROOT / "docs" / "reference.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_the_generated_parts_name_all_that_there_is(reference, tmp_path):
    reference.write(tmp_path)
    text = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    for model in reference.TABLES:
        assert all(f"\n### `{key}`\n" in text["keys.md"] for key in getattr(spec, model).model_fields)
    assert "0, 1, …, 8 by default" in text["keys.md"] and "`headline = 1e-2" not in text["keys.md"]
    assert {"## gdbench run", "## gdbench compare", "## gdbench list"} <= set(text["commands.md"].splitlines())
    assert "`--fail-on-regression`" in text["commands.md"]
    assert "\nadam\n----\n" in text["optimizers.txt"] and "autoclass:: gdbench.kernels.losses.huber.Huber" in text["losses.txt"]
    assert "`GDBENCH_CACHE_DIR`" in text["environment.md"] and "| `left_again` |" in text["columns.md"]


def test_every_variable_that_is_read_is_documented():
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "gdbench").rglob("*.py")]
    read = {name for text in sources for name in re.findall(r"environ(?:\.get\(|\[)[\"']([A-Z_]+)", text)}
    assert len(read) >= 5
    assert read - {"PYTHONPATH"} <= set(VARIABLES)  # which is passed on to another gdbench


def toml_of(page: str) -> dict:
    """The first block of TOML of a page."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return tomllib.loads(re.search(r"```toml\n(.*?)```", text, re.DOTALL)[1])


def test_the_suite_of_the_page_on_suites_is_valid_and_stands_for_six_solvers():
    made = spec.check(toml_of("docs/suites.md"), Path("shown.toml"))
    assert [len(list(spec.expand_solver(one, made.learning_rates))) for one in made.solvers] == [6]


def test_the_data_set_that_a_contributor_copies_is_one_of_the_catalog():
    ((name, shown),) = toml_of("CONTRIBUTING.md").items()
    assert tomllib.loads((ROOT / "datasets" / "catalog.toml").read_text(encoding="utf-8"))[name] == shown


def links() -> list[tuple[str, str]]:
    """The links of all pages to files, with their pages."""
    found = [
        (page, link) for page in PAGES for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    ]
    return [(page.relative_to(ROOT).as_posix(), link) for page, link in found if not re.match(r"[a-z]+:", link)]


@pytest.mark.parametrize(("page", "link"), links())
def test_links_lead_somewhere(page, link):
    made = link.startswith(("gallery/", "../gallery/"))  # of which the sources are committed
    assert made or (ROOT / page).parent.joinpath(link).exists()
