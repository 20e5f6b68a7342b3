"""OCI layouts, in folders and in archives, of ours and of other tools."""

import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from imagecheck.image.errors import ImageReadError
from imagecheck.image.image import FaultKind
from tests.support.imagecheck.images import (
    Directory,
    File,
    Image,
    layer_of,
    write_image,
    write_index,
    write_layout,
)
from tests.support.imagecheck.programs import HOST, OTHER
from tests.support.imagecheck.reading import read_image
from tests.support.imagecheck.tools import skopeo_copy

LAYER = layer_of(File("run", "#!/bin/sh\n", 0o755))


def image_in(folder: Path, **options: Any) -> Image:
    return write_image(folder, [LAYER], entrypoint=["/run"], **options)


def archive_of(folder: Path) -> Path:
    path = folder.with_suffix(".tar")
    with tarfile.open(path, "w") as tar:
        tar.add(folder, ".")
    return path


def test_a_folder_and_an_archive_read_the_same(tmp_path: Path) -> None:
    image = image_in(tmp_path / "image")
    archive = archive_of(image.folder)

    for name in (
        image.reference,
        f"{image.reference}:latest",
        f"{image.reference}@{image.digest}",
        f"oci-archive:{archive}",
        f"oci-archive:{archive}:latest",
        f"oci-archive:{archive}@{image.digest}",
    ):
        read = read_image(name)
        assert (str(read.reference), read.digest, read.faults) == (name, image.digest, [])
        assert read.files and read.files.find("/run")


def test_what_skopeo_writes(tmp_path: Path) -> None:
    image = image_in(tmp_path / "image")
    for name in (f"oci:{tmp_path}/copy:v1", f"oci-archive:{tmp_path}/copy.tar:v1"):
        skopeo_copy(image.reference, name)

        assert read_image(name).digest == image.digest


def test_one_of_several_images(tmp_path: Path) -> None:
    one, two = image_in(tmp_path), image_in(tmp_path, architecture=OTHER)
    write_layout(tmp_path, one, two)
    index = json.loads((tmp_path / "index.json").read_bytes())
    for number, descriptor in enumerate(index["manifests"]):
        descriptor["annotations"]["org.opencontainers.image.ref.name"] = f"v{number}"
    (tmp_path / "index.json").write_text(json.dumps(index))

    with pytest.raises(ImageReadError) as error:
        read_image(f"oci:{tmp_path}")

    named = str(error.value.hint).splitlines()[1:]
    assert [read_image(name.strip()).digest for name in named] == [one.digest, two.digest]
    assert [read_image(f"oci:{tmp_path}:v{n}").digest for n in (0, 1)] == [one.digest, two.digest]
    with pytest.raises(ImageReadError, match="no image with the tag v2"):
        read_image(f"oci:{tmp_path}:v2")


def test_an_image_that_only_an_index_of_the_layout_lists(tmp_path: Path) -> None:
    one, two = image_in(tmp_path), image_in(tmp_path, architecture=OTHER)
    index = write_index(tmp_path, one, two)

    assert read_image(f"oci:{tmp_path}").digest == index.digest
    read = read_image(f"oci:{tmp_path}@{two.digest}")
    assert (read.digest, read.faults) == (two.digest, [])
    whole = read_image(f"oci:{tmp_path}")
    assert whole.config and whole.config.architecture == HOST


def test_a_digest_that_is_not_there(tmp_path: Path) -> None:
    image_in(tmp_path)

    (fault,) = read_image(f"oci:{tmp_path}@sha256:{'0' * 64}").faults

    assert fault.kind is FaultKind.NOT_THERE


@pytest.mark.parametrize("by_digest", [True, False])
@pytest.mark.parametrize(
    "change",
    [
        lambda old: old + b" ",
        lambda old: old[:-1],
        lambda old: old.replace(b'"size"', b'"siZe"', 1),
    ],
    ids=["longer", "shorter", "another"],
)
def test_a_manifest_of_other_bytes(
    tmp_path: Path, change: Callable[[bytes], bytes], *, by_digest: bool
) -> None:
    image = image_in(tmp_path)
    blob = image.blob(image.digest)
    blob.write_bytes(change(blob.read_bytes()))

    name = f"{image.reference}@{image.digest}" if by_digest else image.reference
    read = read_image(name)

    assert [fault.kind for fault in read.faults] == [FaultKind.WRONG_BYTES]
    assert read.files is None


def test_a_size_in_the_index_that_is_not_the_manifests(tmp_path: Path) -> None:
    image = image_in(tmp_path)
    write_layout(tmp_path, Image(tmp_path, {**image.descriptor, "size": 5}))

    (fault,) = read_image(image.reference).faults

    assert fault.kind is FaultKind.WRONG_BYTES


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "is not an OCI image layout: it has no index.json"),
        (b"", "index.json: the manifest cannot be read"),
        (b"[" * 100_000, "index.json: the manifest cannot be read"),
        (b"{}", "has no image"),
        (b'{"manifests": []}', "has no image"),
        (b" " * 5_000_000 + b"{}", "more than 4,194,304 bytes"),
    ],
)
def test_what_is_no_layout(tmp_path: Path, content: bytes | None, why: str) -> None:
    image = image_in(tmp_path / "image")
    path = image.folder / "index.json"
    path.unlink() if content is None else path.write_bytes(content)

    for name in (image.reference, f"oci-archive:{archive_of(image.folder)}"):
        with pytest.raises(ImageReadError, match=why):
            read_image(name)


def test_blobs_that_are_no_folder(tmp_path: Path) -> None:
    image = image_in(tmp_path)
    shutil.rmtree(tmp_path / "blobs")
    (tmp_path / "blobs").touch()

    with pytest.raises(ImageReadError, match="Not a directory"):
        read_image(image.reference)


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImageReadError, match="is not an OCI image layout"):
        read_image(f"oci:{tmp_path}")


def test_directories_in_an_archive_are_no_files(tmp_path: Path) -> None:
    layer = layer_of(Directory("index.json"), compression="none")
    (tmp_path / "image.tar").write_bytes(layer.blob)

    with pytest.raises(ImageReadError, match="is not an OCI image layout"):
        read_image(f"oci-archive:{tmp_path}/image.tar")
