"""Images, read whole: every byte is held against its digest, and what is cached is not read."""

import json
import math
import os
import tarfile
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imagecheck.image import files, image_reader
from imagecheck.image.errors import ImageReadError
from imagecheck.image.image import FaultKind
from imagecheck.image.image_reader import ImageReader
from imagecheck.image.layer import read_layer
from imagecheck.image.layer_cache import LayerCache
from imagecheck.image.manifest import DOCKER_LIST, MAX_DOCUMENT_BYTES, Descriptor
from tests.support.imagecheck.images import (
    File,
    HardLink,
    Image,
    Layer,
    Whiteout,
    layer_of,
    write_attestation,
    write_image,
    write_index,
)
from tests.support.imagecheck.programs import HOST, OTHER
from tests.support.imagecheck.reading import NoProgress, WatchedSource, read_image

BASE = layer_of(File("run", "#!/bin/sh\n", 0o755), File("app.py", "old"))
TOP = layer_of(File("app.py", "new"), HardLink("same.py", "app.py"))
OTHER_TOP = layer_of(Whiteout("run"), File("app.py", "other"))


def image_in(folder: Path, *layers: Layer, **options: Any) -> Image:
    return write_image(folder, layers or [BASE, TOP], entrypoint=["/run"], **options)


def faults_of(image: Image, **options: Any) -> list[FaultKind]:
    return [fault.kind for fault in read_image(image.reference, **options).faults]


def manifest_of(image: Image) -> Any:
    return json.loads(image.blob(image.digest).read_bytes())


def test_an_image_as_it_should_be(tmp_path: Path) -> None:
    image = image_in(tmp_path)

    read = read_image(f"{image.reference}@{image.digest}")

    assert (read.digest, read.faults, read.compressed_on_push) == (image.digest, [], False)
    assert read.config and read.config.architecture == HOST
    assert read.layers and [layer.diff_id for layer in read.layers] == [BASE.diff_id, TOP.diff_id]
    assert read.files and read.files.find("/run") and read.files.find("/same.py")


BLOBS: Mapping[str, Callable[[Any], str]] = {
    "configuration": lambda manifest: manifest["config"]["digest"],
    "first layer": lambda manifest: manifest["layers"][0]["digest"],
    "last layer": lambda manifest: manifest["layers"][1]["digest"],
}


@pytest.mark.parametrize("which", BLOBS.values(), ids=BLOBS.keys())
@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda old: old[:-1] + bytes([old[-1] ^ 1]), FaultKind.WRONG_BYTES),
        (lambda old: old + b"\n", FaultKind.WRONG_BYTES),
        (lambda old: old[:-1], FaultKind.WRONG_BYTES),
        (lambda _: b"", FaultKind.WRONG_BYTES),
        (None, FaultKind.BLOB_MISSING),
    ],
    ids=["a bit", "longer", "shorter", "empty", "missing"],
)
def test_every_blob_is_held_against_its_digest(
    tmp_path: Path,
    which: Callable[[Any], str],
    change: Callable[[bytes], bytes] | None,
    kind: FaultKind,
) -> None:
    image = image_in(tmp_path)
    path = image.blob(which(manifest_of(image)))
    path.write_bytes(change(path.read_bytes())) if change else path.unlink()

    read = read_image(image.reference)

    assert [fault.kind for fault in read.faults] == [kind]
    assert read.files is None


@pytest.mark.parametrize("part", ["config", "layers"])
@pytest.mark.parametrize("difference", [-1, 1])
def test_every_size_counts(tmp_path: Path, part: str, difference: int) -> None:
    image = image_in(tmp_path)
    changed = manifest_of(image)[part]
    descriptor = changed if part == "config" else changed[1]
    descriptor["size"] += difference

    assert faults_of(image_in(tmp_path, manifest_changes={part: changed})) == [
        FaultKind.WRONG_BYTES
    ]


@pytest.mark.parametrize("number", [0, 1])
def test_every_diff_id_counts(tmp_path: Path, number: int) -> None:
    ids = [BASE.diff_id, TOP.diff_id]
    ids[number] = f"sha256:{'0' * 64}"
    image = image_in(tmp_path, config_changes={"rootfs": {"type": "layers", "diff_ids": ids}})

    assert faults_of(image) == [FaultKind.DIFF_ID]


def test_a_reference_by_digest_is_held_against_the_manifest(tmp_path: Path) -> None:
    image, another = image_in(tmp_path), image_in(tmp_path, BASE)
    image.blob(image.digest).write_bytes(another.blob(another.digest).read_bytes())

    read = read_image(f"oci:{tmp_path}@{image.digest}")

    assert [fault.kind for fault in read.faults] == [FaultKind.WRONG_BYTES]
    assert (read.digest, read.config, read.files) == (None, None, None)


@pytest.mark.parametrize("size", [MAX_DOCUMENT_BYTES + 1, 10**18])
def test_a_configuration_that_is_too_long_is_not_read(tmp_path: Path, size: int) -> None:
    config = {**manifest_of(image_in(tmp_path))["config"], "size": size}

    read = read_image(image_in(tmp_path, manifest_changes={"config": config}).reference)

    assert [fault.kind for fault in read.faults] == [FaultKind.DOCUMENT]
    assert f"{size:,} bytes" in read.faults[0].text


@pytest.mark.parametrize(
    ("layer", "kind"),
    [
        (replace(BASE, blob=b"x", size=1, digest=layer_of(File("x")).digest), None),
        (layer_of(HardLink("a", "nowhere")), FaultKind.LAYER),
        (layer_of(File("a"), compression="zstd"), FaultKind.COMPRESSION),
        (layer_of(File("a"), compression="none"), ()),
    ],
)
def test_layers_that_cannot_be_used(tmp_path: Path, layer: Layer, kind: Any) -> None:
    expected = [FaultKind.WRONG_BYTES] if kind is None else [kind] if kind else []

    assert faults_of(image_in(tmp_path, layer)) == expected


def test_all_layers_together_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = image_in(tmp_path / "image", BASE, TOP)
    sizes = [layer.size for layer in read_image(image.reference).layers or ()]

    monkeypatch.setattr(image_reader, "MAX_IMAGE_BYTES", sum(sizes))
    assert faults_of(image, cache=tmp_path / "cache") == []
    monkeypatch.setattr(image_reader, "MAX_IMAGE_BYTES", sum(sizes) - 1)
    assert faults_of(image) == [FaultKind.TOO_LARGE]
    assert faults_of(image, cache=tmp_path / "cache") == [FaultKind.TOO_LARGE]


def test_the_files_of_all_layers_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = image_in(tmp_path / "image", BASE, TOP)
    layers = read_image(image.reference, cache=tmp_path / "cache").layers or ()

    limit = sum(layer.listing_bytes for layer in layers) - 1
    monkeypatch.setattr(image_reader, "MAX_LISTING_BYTES", limit)
    for cache in (None, tmp_path / "cache"):
        with pytest.raises(ImageReadError, match="more files"):
            read_image(image.reference, cache=cache)


# --- indexes ------------------------------------------------------------------------------------


def test_the_image_of_an_index_that_fits(tmp_path: Path) -> None:
    image, other = image_in(tmp_path), image_in(tmp_path, architecture=OTHER)
    index = write_index(tmp_path, other, image, write_attestation(image), media_type=DOCKER_LIST)

    for architecture in (HOST, OTHER):
        read = read_image(index.reference, architecture=architecture)
        assert (read.digest, read.root_media_type) == (index.digest, DOCKER_LIST)
        assert read.config and read.config.architecture == architecture
        assert read.files


def test_an_index_without_the_architecture(tmp_path: Path) -> None:
    index = write_index(tmp_path, image_in(tmp_path, architecture=OTHER))

    read = read_image(index.reference)

    assert (read.root and read.root.is_index, read.manifest, read.files) == (True, None, None)
    assert read.faults == []


@pytest.mark.parametrize("change", ["bytes", "size", "missing"])
def test_a_child_of_an_index_is_held_against_it(tmp_path: Path, change: str) -> None:
    child = image_in(tmp_path)
    if change == "size":
        child = Image(tmp_path, {**child.descriptor, "size": 5})
    index = write_index(tmp_path, child)
    path = child.blob(child.digest)
    if change == "bytes":
        path.write_bytes(path.read_bytes() + b" ")
    if change == "missing":
        path.unlink()

    assert faults_of(index) == [
        FaultKind.BLOB_MISSING if change == "missing" else FaultKind.WRONG_BYTES
    ]


# --- the cache ----------------------------------------------------------------------------------


def opened_by(
    name: str, cache: Path, missing: frozenset[str] = frozenset()
) -> tuple[Any, set[str]]:
    with closing(WatchedSource(name, missing)) as source:
        reader = ImageReader(source, LayerCache(cache), NoProgress())
        image = reader.read(HOST)
        return image, set(source.opened)


def test_no_layer_is_opened_a_second_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = image_in(tmp_path / "image")
    layers = {BASE.digest, TOP.digest}

    settle(monkeypatch)
    first, opened = opened_by(image.reference, tmp_path / "cache")
    assert opened >= layers
    second, opened = opened_by(image.reference, tmp_path / "cache")
    assert not opened & layers

    assert second.layers == first.layers
    assert (second.faults, second.digest) == ([], image.digest)


def test_of_another_image_on_the_same_base_only_the_top_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The base's file is another one, so it is hashed."""
    opened_by(image_in(tmp_path / "one").reference, tmp_path / "cache")
    image = image_in(tmp_path / "two", BASE, OTHER_TOP)
    unpacked = []

    def noted(blob: Any, descriptor: Descriptor, **options: Any) -> Any:
        unpacked.append(descriptor.digest)
        return read_layer(blob, descriptor, **options)

    monkeypatch.setattr(image_reader, "read_layer", noted)

    read, _ = opened_by(image.reference, tmp_path / "cache")

    assert unpacked == [OTHER_TOP.digest]
    assert read.files.find("/run") is None


def test_a_layer_that_occurs_twice_is_opened_once(tmp_path: Path) -> None:
    with closing(WatchedSource(image_in(tmp_path, BASE, TOP, BASE).reference)) as source:
        read = ImageReader(source, LayerCache(None), NoProgress()).read(HOST)

        assert source.opened.count(BASE.digest) == 1
    assert read.layers and len(read.layers) == 3
    assert read.faults == []


def test_a_layer_that_is_known_still_has_to_be_there(tmp_path: Path) -> None:
    image = image_in(tmp_path / "image")
    opened_by(image.reference, tmp_path / "cache")

    read, _ = opened_by(image.reference, tmp_path / "cache", frozenset([BASE.digest]))
    assert [fault.kind for fault in read.faults] == [FaultKind.BLOB_MISSING]

    path = image.blob(TOP.digest)
    path.write_bytes(path.read_bytes()[:-1])
    assert faults_of(image, cache=tmp_path / "cache") == [FaultKind.BLOB_MISSING]


def settle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take all files for old, and let the clock move: their times tell one state from the next."""
    monkeypatch.setattr(files, "_TICK_SECONDS", 0)
    time.sleep(0.1)


def spoil_in_place(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        last = file.read(1)
        file.seek(-1, os.SEEK_END)
        file.write(bytes([last[0] ^ 1]))


def spoil_and_restore_its_time(path: Path) -> None:
    before = path.stat()
    spoil_in_place(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def spoil_a_copy_in_its_place(path: Path) -> None:
    before = path.stat()
    copy = path.with_name("copy")
    copy.write_bytes(path.read_bytes())
    spoil_in_place(copy)
    os.utime(copy, ns=(before.st_atime_ns, before.st_mtime_ns))
    copy.replace(path)


@pytest.mark.parametrize(
    "spoil", [spoil_in_place, spoil_and_restore_its_time, spoil_a_copy_in_its_place]
)
@pytest.mark.parametrize("is_settled", [True, False])
def test_a_known_layer_whose_file_was_damaged_since_is_found(
    tmp_path: Path,
    spoil: Callable[[Path], None],
    is_settled: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(files, "_TICK_SECONDS", math.inf)
    image = image_in(tmp_path / "image")
    path = image.blob(BASE.digest)
    if is_settled:
        settle(monkeypatch)
    for _ in range(2):
        assert faults_of(image, cache=tmp_path / "cache") == []

    spoil(path)

    for _ in range(2):
        assert faults_of(image, cache=tmp_path / "cache") == [FaultKind.WRONG_BYTES]


def test_an_archive_that_was_damaged_since_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = image_in(tmp_path / "image")
    archive = tmp_path / "image.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(image.folder, ".")
    settle(monkeypatch)
    name = f"oci-archive:{archive}"
    assert read_image(name, tmp_path / "cache").faults == []

    content = archive.read_bytes()
    at = content.index(BASE.blob) + len(BASE.blob) - 1
    archive.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])

    faults = read_image(name, tmp_path / "cache").faults
    assert [fault.kind for fault in faults] == [FaultKind.WRONG_BYTES]


def test_a_file_is_hashed_again_only_when_it_may_have_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_TICK_SECONDS", math.inf)
    image = image_in(tmp_path / "image")
    layers = {BASE.digest, TOP.digest}
    opened_by(image.reference, tmp_path / "cache")
    settle(monkeypatch)

    _, opened = opened_by(image.reference, tmp_path / "cache")
    assert opened >= layers
    _, opened = opened_by(image.reference, tmp_path / "cache")
    assert not opened & layers
    image.blob(BASE.digest).touch()
    _, opened = opened_by(image.reference, tmp_path / "cache")
    assert opened & layers == {BASE.digest}


def test_a_layer_that_was_not_read_whole_is_not_kept(tmp_path: Path) -> None:
    image = image_in(tmp_path / "image")
    path = image.blob(BASE.digest)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b"x")
    assert faults_of(image, cache=tmp_path / "cache") == [FaultKind.WRONG_BYTES]

    path.write_bytes(whole)

    assert faults_of(image, cache=tmp_path / "cache") == []


def test_a_diff_id_is_held_against_what_was_kept(tmp_path: Path) -> None:
    opened_by(image_in(tmp_path / "one").reference, tmp_path / "cache")
    rootfs = {"type": "layers", "diff_ids": [BASE.diff_id, BASE.diff_id]}
    image = image_in(tmp_path / "two", config_changes={"rootfs": rootfs})

    assert faults_of(image, cache=tmp_path / "cache") == [FaultKind.DIFF_ID]


# --- contents -----------------------------------------------------------------------------------


def contents(name: str, cache: Path | None, *paths: str) -> tuple[dict[str, bytes], list[str]]:
    with closing(WatchedSource(name)) as source:
        reader = ImageReader(source, LayerCache(cache), NoProgress())
        image = reader.read(HOST)
        source.opened.clear()
        assert image.files
        nodes = [node for path in paths if (node := image.files.find(path))]
        return reader.contents(image, nodes), source.opened


def test_contents_are_those_of_the_layer_that_has_them(tmp_path: Path) -> None:
    image = image_in(tmp_path)

    found, opened = contents(image.reference, None, "/app.py", "/same.py", "/run")

    assert found == {"/app.py": b"new", "/same.py": b"new", "/run": b"#!/bin/sh\n"}
    assert sorted(opened) == sorted([BASE.digest, TOP.digest])


def test_contents_are_kept_too(tmp_path: Path) -> None:
    image = image_in(tmp_path / "image")
    contents(image.reference, tmp_path / "cache", "/app.py")

    found, opened = contents(image.reference, tmp_path / "cache", "/app.py", "/same.py")

    assert (found, opened) == ({"/app.py": b"new", "/same.py": b"new"}, [])


@pytest.mark.parametrize("has_cache", [False, True])
def test_a_layer_is_read_twice_however_often_it_is_asked_for_sources(
    tmp_path: Path, has_cache: bool
) -> None:
    layer = layer_of(*(File(f"{number}.py", str(number)) for number in range(9)))
    image = write_image(tmp_path / "image", [layer], architecture=HOST)
    with closing(WatchedSource(image.reference)) as source:
        cache = LayerCache(tmp_path / "cache" if has_cache else None)
        with closing(ImageReader(source, cache, NoProgress())) as reader:
            read = reader.read(HOST)
            source.opened.clear()
            assert read.files
            for number in range(9):
                node = read.files.find(f"/{number}.py")
                assert node
                assert reader.contents(read, [node]) == {node.path: str(number).encode()}
        assert source.opened == [layer.digest, layer.digest]


def test_contents_that_change_while_they_are_read(tmp_path: Path) -> None:
    image = image_in(tmp_path)
    with closing(WatchedSource(image.reference)) as source:
        reader = ImageReader(source, LayerCache(None), NoProgress())
        read = reader.read(HOST)
        assert read.files
        path = image.blob(TOP.digest)
        path.write_bytes(path.read_bytes()[:-1] + b"x")
        node = read.files.find("/app.py")
        assert node
        with pytest.raises(ImageReadError, match="changed while it was read"):
            reader.contents(read, [node])
