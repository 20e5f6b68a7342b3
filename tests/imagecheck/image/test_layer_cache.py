"""The cache of layers: its loss or its damage only costs time."""

import os
from pathlib import Path

import pytest

from imagecheck.image import layer_cache
from imagecheck.image.layer_cache import LayerCache, default_folder
from tests.support.imagecheck.images import File, Opaque, Symlink, Whiteout, layer_of
from tests.support.imagecheck.programs import tiny_elf
from tests.support.imagecheck.reading import learned

MADE = layer_of(
    File("run", tiny_elf(interpreter="/lib/ld.so"), 0o755),
    File("script", "#!/bin/sh\n", 0o755),
    File("a\udcff", "x"),
    Symlink("link", "run"),
    Whiteout("gone"),
    Opaque("emptied"),
)
LAYER = learned(MADE)
OTHER = "sha256:" + "0" * 64


def test_a_layer_comes_back_whole(tmp_path: Path) -> None:
    LayerCache(tmp_path).keep_layer(MADE.digest, LAYER)

    assert LayerCache(tmp_path).layer(MADE.digest) == LAYER
    assert LayerCache(tmp_path).layer(OTHER) is None


def test_files_add_up(tmp_path: Path) -> None:
    cache = LayerCache(tmp_path)

    cache.keep_files(MADE.digest, {"/a": b"\xff", "/b": b""})
    cache.keep_files(MADE.digest, {"/c": b"3"})

    assert cache.files(MADE.digest) == {"/a": b"\xff", "/b": b"", "/c": b"3"}
    assert cache.files(OTHER) == {}


@pytest.mark.parametrize(
    "content", [b"", b"\x00", b"\x93\x01", b"\xff" * 100, b"\xa1\xff", b"\x81\xa1\xff"]
)
def test_damage_is_as_if_nothing_had_been_kept(tmp_path: Path, content: bytes) -> None:
    cache = LayerCache(tmp_path)
    cache.keep_layer(MADE.digest, LAYER)
    cache.keep_files(MADE.digest, {"/a": b""})

    for file in kept(tmp_path):
        file.write_bytes(content)

    assert cache.layer(MADE.digest) is None
    assert cache.files(MADE.digest) == {}


def test_a_folder_that_cannot_be_written_only_makes_it_slow(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    for folder in (tmp_path / "file" / "cache", Path("/proc/nowhere"), None):
        cache = LayerCache(folder)
        cache.keep_layer(MADE.digest, LAYER)
        cache.keep_files(MADE.digest, {"/a": b""})

        assert cache.layer(MADE.digest) is None
        assert cache.files(MADE.digest) == {}


def test_nobody_else_may_look_into_it(tmp_path: Path) -> None:
    LayerCache(tmp_path / "cache").keep_layer(MADE.digest, LAYER)

    (file,) = kept(tmp_path)
    assert file.parent.stat().st_mode & 0o077 == 0
    assert file.stat().st_mode & 0o077 == 0


def test_an_interruption_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        LayerCache(tmp_path).keep_layer(MADE.digest, LAYER)

    assert not kept(tmp_path)


def test_what_was_not_asked_for_the_longest_makes_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = LayerCache(tmp_path)
    digests = [f"sha256:{number:064}" for number in range(4)]
    monkeypatch.setattr(layer_cache, "MAX_BYTES", 3500)
    for number, digest in enumerate(digests[:3]):
        cache.keep_files(digest, {"/a": bytes(1000)})
        (file,) = (f for f in kept(tmp_path) if f.stem == digest.removeprefix("sha256:"))
        os.utime(file, (number, number))
    cache.files(digests[0])

    cache.keep_files(digests[3], {"/a": bytes(1000)})

    assert [bool(cache.files(digest)) for digest in digests] == [True, False, True, True]


@pytest.mark.parametrize(
    ("xdg", "folder"),
    [
        ("/caches", "/caches"),
        ("", "/home/of/mine/.cache"),
        ("relative", "/home/of/mine/.cache"),  # which the specification says to ignore
    ],
)
def test_where_it_is(monkeypatch: pytest.MonkeyPatch, xdg: str, folder: str) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", xdg)
    monkeypatch.setenv("HOME", "/home/of/mine")

    assert default_folder() == Path(folder, "hima-five-bomber/layers")


def test_who_has_no_home_has_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", no_home)

    assert default_folder() is None


def kept(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
