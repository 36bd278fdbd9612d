"""A user's own file as a data set."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.datasets import dump_svmlight_file

import gdbench as gd
from gdbench.errors import GdbenchError
from gdbench.problems import catalog, data
from gdbench.tasks import memory

TABLE = "hours,group,score\n" + "".join(f"{i},{'uvw'[i % 3]},{i * i % 7 + 0.5}\n" for i in range(30))


def write(path, content):
    path.write_bytes(content) if isinstance(content, bytes) else path.write_text(content)
    return path


def test_csv_last_column_is_the_target(tmp_path):
    dataset = data.load(write(tmp_path / "mine.csv", TABLE))
    assert (dataset.name, dataset.task) == ("mine", "regression")
    assert (dataset.n, dataset.d, len(dataset.y_test)) == (24, 3, 6)
    assert dataset.feature_names == ["hours", "group=v", "group=w"]
    assert dataset.preprocess == ("one-hot", "standardise")
    np.testing.assert_allclose(dataset.X.mean(axis=0), 0, atol=1e-14)
    np.testing.assert_allclose(dataset.X.std(axis=0), 1)


def test_csv_with_another_target(tmp_path):
    dataset = data.load(write(tmp_path / "mine.csv", TABLE), target="group")
    assert (dataset.task, dataset.class_names) == ("multiclass", ("u", "v", "w"))
    assert dataset.feature_names == ["hours", "score"]


def test_five_points_are_a_regression(tmp_path):
    path = write(tmp_path / "line.csv", "hours,score\n1,2\n2,4\n3,5\n4,4\n5,5\n")
    dataset = data.load(path, preprocessing="none", test_fraction=0)
    np.testing.assert_array_equal(dataset.X, [[1], [2], [3], [4], [5]])
    np.testing.assert_array_equal(dataset.y, [2, 4, 5, 4, 5])
    assert data.load(path, task="multiclass", test_fraction=0).class_names == ("2", "4", "5")


@pytest.mark.parametrize("labels", [("no", "yes"), (0, 1), (-1, 1), (1, 2), (False, True)])
def test_two_classes(tmp_path, labels):
    text = "x,y\n" + "".join(f"{i},{labels[i % 2]}\n" for i in range(20))
    dataset = data.load(write(tmp_path / "two.csv", text))
    assert dataset.task == "binary"
    assert dataset.class_names == tuple(map(str, labels))
    assert set(dataset.y) == {-1.0, 1.0}


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators_and_a_byte_order_mark(tmp_path, separator):
    path = tmp_path / "mine.csv"
    path.write_text(TABLE.replace(",", separator), encoding="utf-8-sig")
    assert data.load(path).feature_names == ["hours", "group=v", "group=w"]


def test_csv_without_a_header(tmp_path):
    dataset = data.load(write(tmp_path / "mine.csv", "1,2,3\n4,5,6.5\n7,8,1\n"), test_fraction=0)
    assert dataset.n == 3
    assert dataset.feature_names == ["column1", "column2"]
    assert "no header line" in dataset.notes[0]


def test_a_constant_column_becomes_zeros_and_is_noted(tmp_path):
    text = "same,x,y\n" + "".join(f"0.1,{i},{i * 0.7}\n" for i in range(10))
    dataset = data.load(write(tmp_path / "mine.csv", text))
    assert (dataset.X[:, 0] == 0).all() and (dataset.X_test[:, 0] == 0).all()
    assert "1 constant column in the training rows set to zero: same" in dataset.notes


def test_a_constant_target_is_only_centred(tmp_path):
    text = "x,y\n" + "".join(f"{i},0.1\n" for i in range(10))
    dataset = data.load(write(tmp_path / "mine.csv", text))
    assert (dataset.y == 0).all()
    assert "the target is constant in the training rows" in dataset.notes


def test_too_many_texts_are_left_out_with_a_note(tmp_path):
    text = "id,x,y\n" + "".join(f"n{i},{i},{i * 0.5}\n" for i in range(200))
    dataset = data.load(write(tmp_path / "mine.csv", text))
    assert dataset.feature_names == ["x"]
    assert "column 'id' left out: 200 different texts, more than 100" in dataset.notes


def test_parquet(tmp_path):
    frame = pd.DataFrame(
        {
            "when": pd.date_range("2020-01-01", periods=20),
            "kind": pd.Categorical(list("ba") * 10, categories=["c", "b", "a"]),
            "count": pd.array(range(20), dtype="Int64"),
            "flag": [True, False] * 10,
            "y": np.linspace(0, 1, 20),
        }
    )
    frame.to_parquet(tmp_path / "mine.parquet")
    dataset = data.load(tmp_path / "mine.parquet", preprocessing="one-hot", test_fraction=0)
    assert dataset.feature_names == ["count", "flag", "kind=b"]
    np.testing.assert_array_equal(dataset.X[:2], [[0, 1, 1], [1, 0, 0]])
    assert any("'when' left out" in note for note in dataset.notes)


def test_npz(tmp_path):
    X, y = np.arange(60, dtype=np.uint8).reshape(20, 3), np.arange(20) % 2
    np.savez(tmp_path / "mine.npz", X=X, y=y)
    dataset = data.load(tmp_path / "mine.npz", preprocessing="none", test_fraction=0)
    np.testing.assert_array_equal(dataset.X, X)
    np.testing.assert_array_equal(dataset.y, 2 * y - 1)


@pytest.mark.parametrize("suffix", [".svm", ".svmlight", ".libsvm"])
def test_svmlight(tmp_path, suffix):
    X = sparse.random(40, 10, density=0.3, format="csr", random_state=0)
    y = np.linspace(0, 1, 40)
    dump_svmlight_file(X, y, str(tmp_path / f"mine{suffix}"), zero_based=False)
    dataset = data.load(tmp_path / f"mine{suffix}", test_fraction=0)
    assert sparse.issparse(dataset.X)
    np.testing.assert_allclose(dataset.X.toarray(), X.toarray())
    np.testing.assert_allclose(dataset.y, y)
    scaled = data.load(tmp_path / f"mine{suffix}", preprocessing="standardise", test_fraction=0)
    np.testing.assert_allclose(scaled.X.toarray().std(axis=0), 1)
    assert scaled.X.nnz == X.nnz


def test_a_changed_file_is_read_again(tmp_path):
    path = write(tmp_path / "mine.csv", TABLE)
    first = data.load(path)
    assert data.load(path) is first
    write(path, TABLE + "31,u,2.5\n")
    assert data.load(path).n + len(data.load(path).y_test) == 31


def test_a_catalog_name_wins_over_a_file_and_a_path_says_which(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "iris.csv", TABLE)
    assert data.load("iris").d == 4
    assert data.load("iris.csv").d == 3


def npz(**arrays):
    import io

    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def zipped(X, y=None):
    """An NPZ file of members given as bytes."""
    import io
    import zipfile

    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("X.npy", X)
        archive.writestr("y.npy", npy(np.ones(3)) if y is None else y)
    return stream.getvalue()


def npy(array):
    import io

    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def lying(shape):
    """The bytes of an array of 3 rows whose header says another shape."""
    content = npy(np.eye(3))
    told = f"'shape': {shape}, }}"
    return content.replace(b"'shape': (3, 3), }".ljust(len(told)), told.encode())


def many_rows(rows):
    """A Parquet file of a few kilobytes with so many equal rows."""
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    stream = io.BytesIO()
    table = pa.table({"a": np.ones(1_000_000), "y": np.ones(1_000_000)})
    with pq.ParquetWriter(stream, table.schema) as writer:
        for _ in range(rows // 1_000_000):
            writer.write_table(table)
    return stream.getvalue()


SHIPPED = (catalog.folder() / "diamonds.parquet").read_bytes()
BAD = {
    "empty.csv": ("", r"empty\.csv is empty"),
    "blank.csv": ("\n\n", "has no columns"),
    "header.csv": ("a,b,y\n", "has no rows"),
    "one.csv": ("a,b,y\n1,2,3\n", "has one row; at least two"),
    "onlytarget.csv": ("y\n1\n2\n", "has no numeric or categorical column beside the target 'y'"),
    "ids.csv": ("id,y\n" + "".join(f"n{i},{i}\n" for i in range(200)), "'id' left out: 200 different texts"),
    "nan.csv": ("a,b,y\n1,2,3\n1,,3\n4,5,6\n", "NaN in row 2, column 'b'; fill it in, or leave its row or column out"),
    "inf.csv": ("a,b,y\n1,2,3\n1,-inf,3\n4,inf,6\n", r"an infinite value in row 2, column 'b' \(and 1 more\); fill it in"),
    "nantarget.csv": ("a,y\n1,2\n1,\n4,5\n", "missing value or NaN in row 2, column 'y'"),
    "nanlabel.csv": ("a,y\n1,u\n2,\n3,v\n", "missing value in row 2, column 'y'"),
    "nantext.csv": ("a,y\nu,1\n,2\nv,4\n", "missing value in row 2, column 'a'; fill it in"),
    "truncated.csv": ("a,b,y\n1,2,3\n1,3,3\n4", "in row 3, column 'b'.*; the file may be truncated; fill it in"),
    "wide.csv": ("a,b,y\n1,2,3\n1,2,3,4\n", "not a valid CSV file: .*line 3, saw 4"),
    "allwide.csv": ("a,b,y\n1,2,3,4\n1,2,3,4\n", "more values than its first line has columns"),
    "slip.csv": (
        "a,y\n" + "".join(f"{i if i != 5 else 'x7'},{i}.5\n" for i in range(9)),
        "'x7' among numbers in row 6",
    ),
    "quote.csv": ('a,y\n"1,2\n3,4\n', "not a valid CSV"),
    "binary.csv": (bytes(range(256)), "not UTF-8"),
    "oneclass.csv": ("a,y\n1,u\n2,u\n3,u\n", "at least two classes, and every target is u"),
    "text.parquet": ("hello", r"text\.parquet is damaged, truncated or not Parquet"),
    "truncated.parquet": (SHIPPED[:-500], "damaged, truncated or not Parquet"),
    "holed.parquet": (SHIPPED[:50_000] + bytes(9_000) + SHIPPED[59_000:], "damaged, truncated or not Parquet"),
    "text.npz": ("hello", "truncated or not NPZ"),
    "truncated.npz": (npz(X=np.eye(9), y=np.ones(9))[:-50], "truncated or not NPZ"),
    "pickle.npz": (pickle.dumps([1]), "truncated or not NPZ"),
    "objects.npz": (npz(X=np.array([[1, "a"]], dtype=object), y=np.ones(1)), "Python objects, which are never loaded"),
    "noy.npz": (npz(X=np.eye(3)), "has no array 'y'; it holds: X"),
    "flat.npz": (npz(X=np.ones(3), y=np.ones(3)), r"two dimensions .* its shape is \(3,\)"),
    "rows.npz": (npz(X=np.eye(3), y=np.ones(2)), r"X has 3 rows, but y has the shape \(2,\)"),
    "complex.npz": (npz(X=np.eye(3) * 1j, y=np.ones(3)), "X has to be numeric"),
    "nan.npz": (npz(X=np.array([[1, np.nan], [2, 3]]), y=np.ones(2)), "row 1, column 'x2'"),
    "rows-lie.npz": (zipped(lying("(3000000000, 3)")), "damaged: the header of X says .3000000000, 3. of float64"),
    "huge-lie.npz": (zipped(lying("(10 ** 30, 3)")), "truncated or not NPZ|damaged"),
    "negative.npz": (zipped(lying("(-1, 3)")), "damaged: the header of X"),
    "short.npz": (zipped(npy(np.eye(3))[:-8]), "damaged: the header of X says .3, 3. of float64, 72 bytes, but it holds 64"),
    "noheader.npz": (zipped(b"hello"), "truncated or not NPZ"),
    "nocolumns.npz": (npz(X=np.ones((3, 0)), y=np.ones(3)), "has no columns"),
    "text.svm": ("hello world\n", "damaged or not svmlight"),
    "truncated.svm": ("1 1:2\n-1 1:", "damaged or not svmlight"),
    "nan.svm": ("1 1:0.5\n-1 2:nan\n1 1:3\n", "NaN in row 2, column 'x2'"),
    "one.svm": ("1 1:2\n", "has one row"),
    "table.xlsx": ("x", r"unknown file type '\.xlsx'; choose from: \.csv, \.parquet"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_clear_line(tmp_path, name):
    content, message = BAD[name]
    with pytest.raises(GdbenchError, match=message) as caught:
        data.load(write(tmp_path / name, content))
    assert "\n" not in str(caught.value)
    assert name.split(".")[0] in str(caught.value)


def test_what_cannot_fit_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 100 << 20)
    bomb = npy(np.zeros((10_000_000, 1)))
    files = {
        "wide.svm": (b"1 2147483647:1\n-1 1:2\n", r"2,147,483,6\d\d columns, .* would take 2\d\d\.\d GB, but only 105 MB"),
        "bomb.npz": (zipped(bomb), r"bomb\.npz: X, of shape \(10000000, 1\), .* would take 160 MB, but only 105 MB"),
        "rows.parquet": (many_rows(9_000_000), r"rows\.parquet, of 9,000,000 rows and 2 columns, would take 144 MB"),
    }
    for name, (content, message) in files.items():
        assert len(content) < 3_000_000
        with pytest.raises(GdbenchError, match=message) as caught:
            data.load(write(tmp_path / name, content))
        assert "\n" not in str(caught.value)


HUGE = {
    "column.csv": ("a,b,y\n1,1e300,3\n1,2,3\n4,5,7\n", r"column 'b' has values up to 1e\+300, too large to be squared"),
    "sum.csv": ("a,b,y\n1,1.7e308,3\n1,1.7e308,3\n4,5,7\n", r"column 'b' has values up to 1.7e\+308, too large"),
    "target.csv": ("a,b,y\n1,2,3\n1,3,-1e200\n4,5,7\n", r"the target has values up to 1e\+200, too large"),
    "sparse.svm": ("1 1:0.5\n-1 2:1e300\n1 1:3\n", r"column 'x2' has values up to 1e\+300, too large"),
}


@pytest.mark.parametrize("name", HUGE)
def test_what_cannot_be_standardised_is_refused_without_a_warning(tmp_path, name):
    content, message = HUGE[name]
    with warnings.catch_warnings(), pytest.raises(GdbenchError, match=message):
        warnings.simplefilter("error")
        data.load(write(tmp_path / name, content), preprocessing="standardise", test_fraction=0)


def test_other_refusals(tmp_path):
    path = write(tmp_path / "mine.csv", TABLE)
    numbers = write(tmp_path / "mine.npz", npz(X=np.eye(3), y=np.ones(3)))
    cases = [
        (tmp_path / "none.csv", {}, "no such file"),
        (tmp_path, {}, "not a file"),
        (path, {"target": "scor"}, "unknown target 'scor'; did you mean 'score'.* choose from: hours, group, score"),
        (path, {"task": "classes"}, "unknown task"),
        (path, {"target": "group", "task": "regression"}, "needs a numeric target"),
        (path, {"n_samples": 3}, "unknown option of a file 'n_samples'"),
        (numbers, {"target": "a"}, "the target can only be chosen in a .csv or .parquet file"),
    ]
    for file, options, message in cases:
        with pytest.raises(GdbenchError, match=message):
            data.load(file, **options)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({}, "the target is 'height', the last column, read as numbers (regression); choose with target= and task="),
        ({"target": "shoe"}, "the target is 'shoe', read as 3 classes (multiclass); choose with task="),
        ({"target": "sick"}, "the target is 'sick', read as 2 classes (binary); choose with task="),
    ],
)
def test_what_is_guessed_of_a_user_s_file_is_said(tmp_path, capsys, words, told):
    path = tmp_path / "people.csv"
    rows = "".join(f"{i % 3},{i % 2},{150 + i}.5\n" for i in range(60))
    path.write_text("shoe,sick,height\n" + rows)
    problem = gd.load_problem(str(path), **words)
    assert capsys.readouterr().err == f"people.csv: {told}\n"
    assert repr(problem).endswith(f"; {told}>")
    given = {"target": "height", "task": "regression"}
    assert repr(gd.load_problem(str(path), **given)).endswith("; the target is 'height', read as numbers (regression)>")
    assert capsys.readouterr() == ("", "")
