"""Files are read ahead that are asked for later, and no more than there is room for."""

import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from imagecheck.image import prefetched_files
from imagecheck.image.prefetched_files import PrefetchedFiles
from tests.support.imagecheck.images import File, layer_of
from tests.support.imagecheck.reading import files_of

LAYER = "sha256:" + "1" * 64
OTHER = "sha256:" + "2" * 64


@pytest.fixture
def ahead() -> Iterator[PrefetchedFiles]:
    with closing(PrefetchedFiles()) as ahead:
        yield ahead


def test_files_are_given_back_up_to_their_limits(ahead: PrefetchedFiles) -> None:
    ahead.keep(LAYER, "/a.py", b"first")
    ahead.keep(LAYER, "/b.py", b"second")
    found = ahead.take(LAYER, {"/b.py": 3, "/a.py": 99, "/c.py": 1})
    assert found == {"/a.py": b"first", "/b.py": b"sec"}
    ahead.keep(LAYER, "/a.py", b"later")
    assert ahead.take(LAYER, {"/a.py": 99}) == {"/a.py": b"later"}
    ahead.close()
    assert ahead.take(LAYER, {"/a.py": 99}) == {}


def test_each_layer_has_files_of_its_own(ahead: PrefetchedFiles) -> None:
    ahead.keep(LAYER, "/a.py", b"first")
    assert ahead.take(OTHER, {"/a.py": 99}) == {}
    ahead.keep(OTHER, "/a.py", b"other")
    assert ahead.take(LAYER, {"/a.py": 99}) == {"/a.py": b"first"}


def test_small_sources_are_kept_and_nothing_else(
    ahead: PrefetchedFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prefetched_files, "MAX_BYTES", 1000)
    assert ahead.wants("/a/b.mjs", 900)
    assert not ahead.wants("/a/b.so", 1)
    assert not ahead.wants("/a/b.py", 1001)
    ahead.keep(LAYER, "/a/b.mjs", bytes(900))
    assert ahead.wants("/a/c.mjs", 100)
    assert not ahead.wants("/a/c.mjs", 101)


def test_no_more_than_so_many_files_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefetched_files, "MAX_FILES", 1)
    with closing(PrefetchedFiles()) as ahead:
        assert ahead.wants("/a.py", 1)
        ahead.keep(LAYER, "/a.py", b"a")
        assert not ahead.wants("/b.py", 1)


def test_of_two_members_of_a_layer_the_later_one_counts(ahead: PrefetchedFiles) -> None:
    layer = layer_of(File("a.py", "first"), File("a.py", "later"), File("b.py", "b"))
    assert files_of(layer, "/b.py", ahead=ahead) == {"/b.py": b"b"}
    assert ahead.take(layer.digest, {"/a.py": 99, "/b.py": 99}) == {"/a.py": b"later"}


def test_without_a_place_for_temporary_files_nothing_is_kept(
    ahead: PrefetchedFiles, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    ahead.keep(LAYER, "/a.py", b"a")
    assert ahead.take(LAYER, {"/a.py": 1}) == {}
    assert not ahead.wants("/a.py", 1)
