"""What travels to a user: the wheel, the version, the price of an import."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from importlib.resources import files
from pathlib import Path, PurePosixPath

import pytest

import gdbench

# Built once: with --dist loadgroup all of this file's tests run in one process.

IN_PACKAGE = [
    "py.typed",
    "datasets/catalog.toml",
    "datasets/diamonds.parquet",
    "datasets/flights.parquet",
    "datasets/mnist-5000.npz",
    "datasets/README.md",
    "suite/suites/quickstart.toml",
]

# Each costs from a tenth of a second to seconds, and not every user needs it: loaded where it is used.
LAZY = {"dask", "distributed", "jax", "keras", "matplotlib", "optax", "pandas", "plotly", "pyarrow", "sklearn", "torch"}


#: Where a release would come from.
ADDRESS = "https://code.example/gdbench"


@pytest.fixture(scope="module")
def built(root, tmp_path_factory) -> list[Path]:
    """Two folders, each with a source distribution and the wheel that was built from it, so that it holds what a build needs."""
    folders = [tmp_path_factory.mktemp("dist") for _ in range(2)]
    for folder in folders:
        command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, root]
        done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"GDBENCH_REPOSITORY": ADDRESS})
        assert done.returncode == 0, done.stdout + done.stderr
    return folders


@pytest.fixture(scope="module")
def wheel(built) -> set[str]:
    """Names of the files in the wheel."""
    (path,) = built[0].glob("gdbench-*.whl")
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


def test_building_twice_gives_the_same_bytes(built):
    first, second = ({path.name: path.read_bytes() for path in folder.iterdir()} for folder in built)
    assert len(first) == 2
    assert first == second


def test_a_release_names_its_repository_and_the_readme_s_links_work_outside_of_it(built, root):
    (path,) = built[0].glob("gdbench-*.whl")
    with zipfile.ZipFile(path) as archive:
        text = archive.read(f"gdbench-{gdbench.__version__}.dist-info/METADATA").decode()
    assert f"Project-URL: Source, {ADDRESS}\n" in text
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert len(links) >= 15
    assert all(link.startswith("https://") for link in links)
    tag = f"v{gdbench.__version__}"
    assert f"{ADDRESS}/raw/{tag}/reports/gallery/quickstart/figures/flights-convergence.png" in links
    own = [link.removeprefix(f"{ADDRESS}/blob/{tag}/") for link in links if link.startswith(f"{ADDRESS}/blob/")]
    assert len(own) >= 15
    assert all((root / name).is_file() for name in own)


@pytest.mark.parametrize("name", IN_PACKAGE)
def test_wheel_holds(wheel, name):
    assert f"gdbench/{name}" in wheel


def test_wheel_holds_every_file_of_the_package(wheel, root):
    def shipped(folder: Path) -> set[str]:
        paths = (path.relative_to(folder.parent) for path in folder.rglob("*") if path.is_file())
        return {path.as_posix() for path in paths if "__pycache__" not in path.parts}

    expected = shipped(root / "gdbench") | {f"gdbench/{name}" for name in shipped(root / "datasets")}
    assert expected - wheel == set()


def test_wheel_holds_nothing_else(wheel):
    tops = {PurePosixPath(name).parts[0] for name in wheel}
    assert tops == {"gdbench", f"gdbench-{gdbench.__version__}.dist-info"}


@pytest.mark.skipif("GDBENCH_INSTALLED" not in os.environ, reason="only make test installs the package")
def test_the_installed_package_is_tested(root):
    where = Path(gdbench.__file__)
    assert where.parent.parent.name == "site-packages", f"{where} is tested; make clean, then make test"
    assert where.parent != root / "gdbench"
    # ... and in processes that tests start in the checkout.
    child = [sys.executable, "-c", "import gdbench; print(gdbench.__file__)"]
    assert Path(subprocess.check_output(child, cwd=root, text=True).strip()) == where
    for name in IN_PACKAGE:
        assert files("gdbench").joinpath(name).is_file(), name


def test_version_is_the_same_everywhere(root):
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    newest = re.search(r"^## \[(.+?)\]", (root / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest is not None
    assert project["version"] == newest.group(1) == gdbench.__version__
    assert f"\nversion: {gdbench.__version__}\n" in (root / "CITATION.cff").read_text()
    if "GDBENCH_INSTALLED" in os.environ:
        assert metadata.version("gdbench") == gdbench.__version__


def test_readme_opens_with_the_two_commands_and_a_figure(root):
    first_screen = "\n".join((root / "README.md").read_text().splitlines()[:40])
    assert "make report" in first_screen
    assert "make test" in first_screen
    figures = re.findall(r"!\[.*?\]\((.+?)\)|<img [^>]*src=\"(.+?)\"", first_screen)
    assert figures
    for figure in figures:
        assert (root / "".join(figure)).is_file(), figure


def test_import_loads_only_what_it_needs(root):
    code = "import sys, gdbench; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", code], cwd=root, text=True).split()
    assert LAZY & set(loaded) == set()


def requirements(root):
    """All that pyproject.toml asks for, by name."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    lines = [*project["dependencies"], *(line for lines in project["optional-dependencies"].values() for line in lines)]
    parts = [re.fullmatch(r"([a-z0-9-]+)(?:\[.*\])?(?:>=([0-9.]+))?(?:,<([0-9.]+))?", line) for line in lines]
    return {part[1]: (part[2], part[3]) for part in parts if part[1] != "gdbench"}


def test_what_lends_private_names_has_an_upper_bound(root):
    bounds = requirements(root)
    assert {name for name, (_, upper) in bounds.items() if upper} == {"numba", "llvmlite", "scikit-learn"}
    for name in ("numba", "llvmlite", "scikit-learn"):
        installed = [int(part) for part in metadata.version(name).split(".")[:2]]
        lower, upper = ([int(part) for part in bound.split(".")] for bound in bounds[name])
        assert lower <= installed
        assert upper[0] >= lower[0] and upper > lower


def test_the_oldest_releases_are_asked_for_one_by_one(root):
    recipe = (root / "Makefile").read_text("utf-8")
    pipeline = re.search(r"^\t(grep .* pyproject\.toml \| sed .*) >", recipe, re.M)[1]
    asked = subprocess.run(["sh", "-c", pipeline], cwd=root, capture_output=True, text=True, check=True).stdout
    expected = {f"{name}=={lower}" for name, (lower, _) in requirements(root).items()}
    assert set(asked.splitlines()) == expected
    assert "numba==0.62" in expected


def test_the_newest_releases_are_asked_for_without_bounds(root):
    recipe = (root / "Makefile").read_text("utf-8")
    command = re.search(r"^\t(sed .* pyproject\.toml) >\$\(NEWEST\)", recipe, re.M)[1]
    lifted = subprocess.run(["sh", "-c", command], cwd=root, capture_output=True, text=True, check=True).stdout
    assert not re.search(r">=[0-9.]+,<", lifted) and '"numba>=0.62",' in lifted
    tomllib.loads(lifted)
