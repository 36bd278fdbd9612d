"""Files are written whole or not at all."""

import os
from pathlib import Path

import pytest

from gdbench.writing import check_writable, whole, write_text


def test_what_fails_midway_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "page.html"
    write_text(path, "old")
    with pytest.raises(ZeroDivisionError), whole(path) as file:
        file.write_text("new, half")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path, small_files):
    path = tmp_path / "page.html"
    write_text(path, "old")
    with small_files(100), pytest.raises(OSError, match="large"):
        write_text(path, "new" * 100)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_one(tmp_path):
    path, link = tmp_path / "page.html", tmp_path / "link.html"
    link.symlink_to(path)
    write_text(link, "new")
    assert link.is_symlink()
    assert path.read_text() == "new"


def test_what_is_no_file_is_written_into():
    write_text(Path(os.devnull), "gone")
    assert not Path(os.devnull).is_file()


def test_a_check_leaves_nothing(tmp_path):
    check_writable(tmp_path / "new" / "page.html")
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file" / "page.html"):
        with pytest.raises(OSError, match="directory"):
            check_writable(path)
