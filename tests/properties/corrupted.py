"""Corrupted input by the hundred: run as a script with the first case's number and how many, it prints how each kind ended.

A case is drawn from its number alone. Each must end in one line (GdbenchError, or scikit-learn's ValueError or TypeError) or in a
result; anything else, a crash or a MemoryError above all, ends the process. Where memory is limited, so is this process's.
"""

import collections
import faulthandler
import gc
import io
import json
import os
import sys
import tempfile
import traceback
import warnings
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.sparse as sp

import gdbench as gd

N, D = 12, 4
QUICK = {"epochs": 1, "record": 2}
ROOM = 3 << 30
SECONDS = 300

PLACES = (-1, -3, N, D, D - 1, 0, 10**7, 2**31 - 1, -(2**31), 2**40, 2**63 - 1)
NUMBERS = (0.0, 1.0, -1e300, 1e308, np.nan, np.inf, -np.inf, 5e-324)
LENGTHS = (0, 1, D - 1, D + 1, N - 1, 2**31, 2**40, -1)
TYPES = (">i4", ">i8", "i8", "u8", "u4", "u2", "i1", ">f8", "f2", "g", "U3", "S2", "O", "?", "c16", "M8[s]", "m8[s]")


def pick(rng, choices):
    return choices[int(rng.integers(len(choices)))]


# Arrays --------------------------------------------------------------------------------------------------------------


def with_a_place(rng, array):
    array = array.copy()
    value = pick(rng, PLACES if array.dtype.kind in "iu" else NUMBERS)
    if array.dtype.kind not in "fiu":
        return array
    if array.size and (array.dtype.kind not in "iu" or np.iinfo(array.dtype).min <= value <= np.iinfo(array.dtype).max):
        array[tuple(int(rng.integers(length)) for length in array.shape)] = value
    return array


def unaligned(rng, array):
    buffer = np.zeros(array.nbytes + 1, np.uint8)
    view = buffer[1:].view(array.dtype).reshape(array.shape)
    view[...] = array
    return view


CHANGES = {
    "a place": with_a_place,
    "another place": with_a_place,
    "a type": lambda rng, array: array.astype(pick(rng, TYPES)),
    "strided": lambda rng, array: np.repeat(array, 2, axis=0)[::2],
    "backwards": lambda rng, array: array[::-1],
    "unaligned": unaligned,
    "shorter": lambda rng, array: array[: int(rng.integers(len(array) + 1))],
    "longer": lambda rng, array: np.concatenate([array, array[: int(rng.integers(1, len(array) + 2))]]),
    "a column": lambda rng, array: array[:, None],
    "broadcast": lambda rng, array: np.broadcast_to(array.ravel()[:1], (pick(rng, (0, 1, N, N * D, 3 * 10**9)),)),
    "broadcast in two": lambda rng, array: np.broadcast_to(array.ravel()[:1], (pick(rng, (N, 3 * 10**9, 10**9)), D)),
    "shuffled": lambda rng, array: rng.permutation(array),
    "a list": lambda rng, array: array.tolist(),
    "none": lambda rng, array: None,
    "a number": lambda rng, array: np.array(3),
    "empty": lambda rng, array: array[:0],
    "fortran": lambda rng, array: np.asfortranarray(array),
    "masked": lambda rng, array: np.ma.masked_array(array, mask=rng.random(array.shape) < 0.1),
}


def changed(rng, array):
    for _ in range(int(rng.integers(1, 3))):
        if not isinstance(array, np.ndarray) or array.ndim == 0 or array.size == 0 or array.size > 10**6:
            break
        array = CHANGES[pick(rng, list(CHANGES))](rng, array)
    return array


# Kinds of cases ------------------------------------------------------------------------------------------------------


def rows(rng):
    return rng.normal(size=(N, D)) * (rng.random((N, D)) < 0.6)


def sparse_rows(rng):
    """A matrix of any format with one or two of its parts replaced."""
    form = pick(rng, ("csr", "csr", "csc", "coo", "bsr", "dia", "lil", "lil", "dok"))
    container = pick(rng, (sp.csr_matrix, sp.csr_array))
    matrix = container(rows(rng)).asformat(form)
    for _ in range(int(rng.integers(1, 3))):
        if rng.random() < 0.15:
            shape = list(matrix.shape)
            shape[int(rng.integers(2))] = pick(rng, LENGTHS)
            matrix._shape = tuple(shape)
        elif form == "dok":
            place = pick(rng, ((0, pick(rng, PLACES)), (pick(rng, PLACES), 0), "here", (0,), (0, 1, 2), (0.5, 1), None))
            dict.__setitem__(getattr(matrix, "_dict", matrix), place, pick(rng, (*NUMBERS, "1", None, 1j)))
        elif form == "lil":
            i = int(rng.integers(len(matrix.rows)))
            part = pick(rng, (matrix.rows, matrix.data))
            new = pick(rng, ([], None, [pick(rng, PLACES)], [0, 1, 2], [pick(rng, NUMBERS)] * 3, "ab", [None], [[0]]))
            part[i] = new
        else:
            names = {"coo": ("data", "coords", "coords"), "dia": ("data", "offsets")}.get(form, ("data", "indices", "indptr"))
            name = pick(rng, names)
            part = getattr(matrix, name)
            if name == "coords":
                axis = int(rng.integers(2))
                matrix.coords = tuple(changed(rng, places) if i == axis else places for i, places in enumerate(part))
            elif isinstance(part, np.ndarray):
                setattr(matrix, name, changed(rng, part))
    return matrix


def signs(y):
    """Two classes of what can be compared; what is large, or no array, stays as it is."""
    return y > 0 if isinstance(y, np.ndarray) and y.dtype.kind in "fiu" and y.size < 10**6 else y


def descend(rng, X, y, **options):
    """Hand rows to one of the ways in."""
    way = pick(rng, ("fit", "fit", "sweep", "online", "online in pieces", "batches", "classes"))
    if way == "fit":
        gd.fit(X, y, **QUICK, **options)
    elif way == "sweep":
        gd.sweep(X, y, learning_rates=[0.1, 0.01], **QUICK, **options)
    elif way == "classes":
        gd.GDClassifier(max_iter=2, tol=None, random_state=0).fit(X, signs(y), **options)
    else:
        model = gd.GDRegressor(max_iter=2, tol=None, random_state=0, batch_size=4 if way == "batches" else 1)
        if way == "online in pieces":
            model.partial_fit(rows(rng), np.arange(N, dtype=float))
            model.partial_fit(X, y, **options)
            model.predict(X)
        else:
            model.fit(X, y, **options)


def a_sparse_matrix(rng):
    descend(rng, sparse_rows(rng), rng.normal(size=N))


def a_dense_matrix(rng):
    descend(rng, changed(rng, rows(rng)), rng.normal(size=N))


def a_target_or_weights(rng):
    y = changed(rng, rng.normal(size=N))
    weights = {"sample_weight": changed(rng, rng.random(N))} if rng.random() < 0.5 else {}
    descend(rng, rows(rng), y if rng.random() < 0.6 else rng.normal(size=N), **weights)


def labels(rng):
    texts = np.array(["a", "b", "c"] * (N // 3))
    strings = np.dtypes.StringDType(na_object=pick(rng, (np.nan, None)))
    y = pick(rng, (texts, texts.astype(strings), texts.astype(object), np.arange(N) % 3, np.arange(N).astype("M8[s]") // 1 * 1))
    y = y.copy()
    if rng.random() < 0.6:
        missing = {"T": getattr(y.dtype, "na_object", None), "M": "NaT", "O": pick(rng, (None, np.nan, pd.NA, 3, [1]))}
        if y.dtype.kind in missing:
            y[0] = missing[y.dtype.kind]
    if rng.random() < 0.5:
        gd.fit(rows(rng), y, loss="cross_entropy", **QUICK)
    else:
        gd.GDClassifier(max_iter=2, tol=None, random_state=0).fit(rows(rng), y)


class Schedule(NamedTuple):
    """A user's schedule with damaged factors."""

    learning_rate: float = 0.1
    seed: int = 0

    def factor(self, t):
        return changed(np.random.default_rng(self.seed), 1.0 / t) if t.size else t


def a_schedule(rng):
    schedule = Schedule(seed=int(rng.integers(10**6)))
    if rng.random() < 0.5:
        gd.fit(rows(rng), rng.normal(size=N), learning_rate=schedule, **QUICK)
    else:
        gd.replay("gd", np.zeros(D), changed(rng, rows(rng)), schedule)


def a_path(rng):
    start, gradients = changed(rng, np.zeros(D)), changed(rng, rows(rng))
    if rng.random() < 0.5:
        gd.replay(pick(rng, ("gd", "adam")), start, gradients, 0.1)
    else:
        place = gd.Landscape(lambda x: pick(rng, (0.0, np.nan, None, [1, 2])), lambda x: changed(rng, x))
        gd.minimize(place, start, steps=pick(rng, (0, 3, 10**12)))


def weights_to_go_on_from(rng):
    model = gd.GDRegressor(max_iter=2, tol=None, random_state=0, warm_start=True, batch_size=pick(rng, (1, 4)))
    X, y = rows(rng), rng.normal(size=N)
    if rng.random() < 0.3:
        model.fit(X, y, coef_init=changed(rng, np.zeros(D)))
        return
    model.fit(X, y)
    name = pick(rng, ("coef_", "intercept_"))
    setattr(model, name, changed(rng, getattr(model, name)))
    getattr(model, pick(rng, ("fit", "partial_fit")))(X, y)


def a_large_request(rng):
    three = sp.csr_matrix((np.ones(3), [0, 1, 2], np.minimum(np.arange(N + 1), 3)), shape=(N, pick(rng, (2**33, 2**40, 2**62))))
    y = rng.normal(size=N)
    requests = (
        lambda: gd.fit(three, y, **QUICK),
        lambda: gd.fit(three, np.arange(N), loss="cross_entropy", **QUICK),
        lambda: gd.sweep(three, y, learning_rates=[0.1] * 5),
        lambda: gd.GDRegressor().fit(three, y),
        lambda: gd.fit(rows(rng), y, model=gd.MLP(hidden=int(pick(rng, (10**9, 10**12, 10**15)))), **QUICK),
        lambda: gd.fit(np.broadcast_to(1.0, (10**9, 1)), np.broadcast_to(1.0, 10**9), **QUICK),
        lambda: gd.minimize("parabola", steps=10**8),
        lambda: gd.fit(sp.coo_array((2**31 - 1, D)), y, **QUICK),
    )
    pick(rng, requests)()


# Files ---------------------------------------------------------------------------------------------------------------


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def npz(rng):
    X = npy(rows(rng))
    if rng.random() < 0.4:  # a header that lies
        was, told = (
            b"'shape': (12, 4), }",
            b"'shape': " + pick(rng, (b"(12000000000, 4)", b"(12, 4, 1)", b"(-12, 4)", b"(6, 8)", b"48,")),
        )
        X = X.replace(was.ljust(60), (told + b", }").ljust(60))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", pick(rng, (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        archive.writestr("X.npy", X if rng.random() < 0.8 else damaged(rng, X))
        archive.writestr("y.npy", npy(np.arange(N) % 2))
    return stream.getvalue()


def parquet(rng):
    stream = io.BytesIO()
    table = pa.table({f"c{j}": column for j, column in enumerate(rows(rng).T)} | {"y": rng.normal(size=N)})
    pq.write_table(table, stream, row_group_size=pick(rng, (5, 100)), compression=pick(rng, ("none", "snappy")))
    return stream.getvalue()


def svmlight(rng):
    lines = [f"{i % 2} " + " ".join(f"{j + 1}:{value:.3f}" for j, value in enumerate(row)) for i, row in enumerate(rows(rng))]
    wrong = (
        "1 2147483647:1",
        "1 2147483648:1",
        "1 -1:1",
        "1 3:1 2:1",
        "1 1:nan",
        "1 0:1",
        "1 1:1e999",
        "nan 1:1",
        "1 99999999999999999999:1",
    )
    if rng.random() < 0.5:
        lines.insert(int(rng.integers(N)), pick(rng, wrong))
    return "\n".join(lines).encode()


def csv(rng):
    lines = ["a,b,c,d,y", *(",".join(f"{value:.3f}" for value in (*row, i)) for i, row in enumerate(rows(rng)))]
    wrong = ("1,2", "1,2,3,4,5,6", '"1,2', "x,1,1,1,1", "1,1,1,1,inf", "\0,1,1,1,1", ",,,,", "1e999,1,1,1,1")
    if rng.random() < 0.5:
        lines.insert(int(rng.integers(1, N)), pick(rng, wrong))
    return "\n".join(lines).encode()


def damaged(rng, content):
    """Bytes of a file, some of them changed, taken out or cut off."""
    content = bytearray(content)
    for _ in range(int(rng.integers(1, 6))):
        place = int(rng.integers(len(content)))
        kind = pick(rng, ("flip", "flip", "flip", "cut", "hole", "twice"))
        if kind == "flip":
            content[place] = int(rng.integers(256))
        elif kind == "cut" and len(content) > 9:
            del content[max(9, place) :]
        elif kind == "hole":
            content[place : place + 8] = bytes(len(content[place : place + 8]))
        else:
            content[place:place] = content[place : place + 16]
    return bytes(content)


FOLDER = Path(tempfile.mkdtemp(prefix="corrupted-"))


def a_file(rng):
    kinds = {".npz": npz, ".parquet": parquet, ".svm": svmlight, ".csv": csv, ".npy": lambda rng: npy(rows(rng))}
    suffix = pick(rng, list(kinds))
    content = kinds[suffix](rng)
    if rng.random() < 0.6:
        content = damaged(rng, content)
    path = FOLDER / f"f{rng.integers(2**60)}{suffix}"
    path.write_bytes(content)
    try:
        if suffix == ".parquet" and rng.random() < 0.5:
            gd.fit(path, "y", **QUICK)
        else:
            problem = gd.load_problem(str(path))
            gd.fit(problem.X, np.arange(problem.X.shape[0], dtype=float), **QUICK)
    finally:
        path.unlink()


def chunks_that_lie(rng):
    from dask import array, delayed

    promised = np.dtype(pick(rng, ("f8", "f4")))
    pieces = [array.from_delayed(delayed(changed)(rng, rows(rng)), (N, D), promised) for _ in range(2)]
    gd.fit(array.concatenate(pieces), rng.normal(size=2 * N), **QUICK)


KINDS = (
    *[a_sparse_matrix] * 6,
    *[a_dense_matrix] * 3,
    *[a_file] * 5,
    a_target_or_weights,
    a_target_or_weights,
    labels,
    a_schedule,
    a_path,
    weights_to_go_on_from,
    a_large_request,
    chunks_that_lie,
)


def limit_memory():
    try:
        import resource

        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + ROOM, resource.RLIM_INFINITY))
    except (ImportError, OSError):
        return


def main(first, count):
    warnings.simplefilter("ignore")
    limit_memory()
    ends = collections.Counter()
    for number in range(first, first + count):
        print("case", number, file=sys.stderr, flush=True)
        faulthandler.dump_traceback_later(SECONDS, exit=True)
        rng = np.random.default_rng(number)
        kind = KINDS[number % len(KINDS)]
        try:
            kind(rng)
            ends[f"{kind.__name__}: ran"] += 1
        except (ValueError, TypeError) as error:
            if type(error).__module__ == "builtins" and not from_scikit_learn(error):
                traceback.print_exc()
                print(f"case {number} ({kind.__name__}) ended in a raw {type(error).__name__}", file=sys.stderr)
                sys.exit(1)
            if isinstance(error, gd.GdbenchError) and "\n" in str(error):
                sys.exit(f"case {number} ({kind.__name__}): more than one line: {error}")
            ends[f"{kind.__name__}: refused"] += 1
        except BaseException:
            print(f"case {number} ({kind.__name__})", file=sys.stderr)
            raise
    faulthandler.cancel_dump_traceback_later()
    gc.collect()
    print(json.dumps(ends))


def from_scikit_learn(error):
    """Whether scikit-learn's own checks of an estimator's input raised it."""
    files = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    return any(f"{os.sep}sklearn{os.sep}" in file for file in files)


if __name__ == "__main__":
    faulthandler.enable()
    main(*map(int, sys.argv[1:]))
