import ast
import hashlib
from pathlib import Path

import pytest

from gdbench.errors import GdbenchError, unknown
from gdbench.problems import catalog

GOOD = """
[mine]
kind = "sklearn"
source = "load_iris"
task = "multiclass"
description = "d"
licence = "l"
provenance = "p"
size = [150, 4]
"""


def test_every_kind_is_there():
    names = catalog.names()
    assert {"diabetes", "breast_cancer", "wine", "iris", "digits", "linnerud"} <= set(names)
    assert {"regression", "ill_conditioned", "classification", "sparse_uncorrelated", "friedman1"} <= set(names)
    assert {"flights", "flights-onehot", "diamonds", "mnist-5000"} <= set(names)
    assert {"california_housing", "covtype", "rcv1", "20newsgroups"} <= set(names)


@pytest.mark.parametrize("name", catalog.names())
def test_entries_say_where_they_come_from(name):
    entry = catalog.entry(name)
    assert entry.name == name
    assert entry.description and entry.licence and entry.provenance
    assert len(entry.size) == 2


def test_shipped_files_are_small_and_have_the_declared_checksum():
    readme = (catalog.folder() / "README.md").read_text(encoding="utf-8")
    for entry in map(catalog.entry, catalog.names()):
        if entry.kind == "shipped":
            content = (catalog.folder() / entry.source).read_bytes()
            assert len(content) < 4_000_000
            assert hashlib.sha256(content).hexdigest() == entry.sha256
            assert entry.sha256 in readme
            assert f"{len(content):,}" in readme


def test_an_unknown_name_gets_the_closest_and_the_list():
    with pytest.raises(GdbenchError, match=r"^unknown dataset 'diabtes'; did you mean 'diabetes'\? choose from: dia"):
        catalog.entry("diabtes")


def test_unknown():
    assert str(unknown("optimizer", "Adam", ["gd", "adam"])) == (
        "unknown optimizer 'Adam'; did you mean 'adam'? choose from: gd, adam"
    )
    assert str(unknown("loss", "zzz", ["hinge", "huber"])) == "unknown loss 'zzz'; choose from: hinge, huber"


def test_a_data_set_is_one_table():
    (entry,) = catalog.parse(GOOD).values()
    assert entry.name == "mine"
    assert entry.preprocess == ()
    assert entry.test_fraction == 0.2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[a", "not valid TOML"),
        ("a = 1", "'a' has to be a table"),
        (GOOD + 'licens = "x"', r"\[mine\]: unknown key 'licens'; did you mean 'licence'"),
        (GOOD.replace('licence = "l"', ""), "missing licence"),
        (GOOD.replace('"sklearn"', '"sklaern"'), "unknown kind 'sklaern'; did you mean 'sklearn'"),
        (GOOD.replace("multiclass", "multi"), "unknown task"),
        (GOOD + 'preprocess = ["standardize"]', "did you mean 'standardise'"),
        (GOOD + "test_fraction = 1.0", "test_fraction"),
        (GOOD.replace("[150, 4]", "150"), r"size has to be \[rows, columns\], two whole numbers, not 150"),
        (GOOD.replace("[150, 4]", '[150, "4"]'), "size has to be"),
        (GOOD.replace("[150, 4]", "[150, 0]"), "size has to be"),
        (GOOD.replace('"sklearn"', '"shipped"'), "needs sha256 and target"),
    ],
)
def test_a_wrong_catalog_is_named(text, message):
    with pytest.raises(GdbenchError, match=message) as caught:
        catalog.parse(text)
    assert "\n" not in str(caught.value)


def test_nothing_heavy_is_imported_before_it_is_needed():
    folder = Path(catalog.__file__).parent
    for name in ("catalog", "data", "files", "preprocess", "raw", "sources", "synthetic", "tables", "targets"):
        for node in ast.parse((folder / f"{name}.py").read_text(encoding="utf-8")).body:
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module] if isinstance(node, ast.ImportFrom) else []
            assert not {m.split(".")[0] for m in modules} & {"sklearn", "pandas", "pyarrow", "scipy"}, name
