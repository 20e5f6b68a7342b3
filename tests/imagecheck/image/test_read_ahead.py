"""What is read ahead is what is asked for later, and no more than there is room for."""

import tempfile
from pathlib import Path

import pytest

from imagecheck.image import read_ahead
from imagecheck.image.read_ahead import ReadAhead
from tests.imagecheck.images import File, layer_of
from tests.imagecheck.reading import files_of


def test_files_are_given_back_up_to_their_limits() -> None:
    ahead = ReadAhead()
    ahead.keep("/a.py", b"first")
    ahead.keep("/b.py", b"second")
    assert ahead.take({"/b.py": 3, "/a.py": 99, "/c.py": 1}) == {"/a.py": b"first", "/b.py": b"sec"}
    ahead.keep("/a.py", b"later")
    assert ahead.take({"/a.py": 99}) == {"/a.py": b"later"}
    ahead.close()
    assert ahead.take({"/a.py": 99}) == {}


def test_small_sources_are_kept_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_ahead, "MAX_BYTES", 1000)
    ahead = ReadAhead()
    assert ahead.wants("/a/b.mjs", 900)
    assert not ahead.wants("/a/b.so", 1)
    assert not ahead.wants("/a/b.py", 1001)
    ahead.keep("/a/b.mjs", bytes(900))
    assert not ahead.wants("/a/c.mjs", 101)
    monkeypatch.setattr(read_ahead, "MAX_FILES", 1)
    assert not ahead.wants("/a/c.mjs", 1)
    ahead.close()
    assert not ahead.wants("/a/c.mjs", 1)


def test_of_two_members_of_a_layer_the_later_one_counts() -> None:
    layer = layer_of(File("a.py", "first"), File("a.py", "later"), File("b.py", "b"))
    ahead = ReadAhead()
    assert files_of(layer, "/b.py", ahead=ahead) == {"/b.py": b"b"}
    assert ahead.take({"/a.py": 99, "/b.py": 99}) == {"/a.py": b"later"}
    ahead.close()


def test_without_a_place_for_temporary_files_nothing_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    ahead = ReadAhead()
    assert not ahead.wants("/a.py", 1)
    ahead.keep("/a.py", b"a")
    assert ahead.take({"/a.py": 1}) == {}
