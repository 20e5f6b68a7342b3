"""A copy is the image, to the byte, or there is none."""

from contextlib import closing
from pathlib import Path

import pytest

from imagecheck.image.errors import ImageReadError
from imagecheck.image.open_source import open_source
from imagecheck.image.reference import parse_reference
from imagecheck.progress import ProgressBar
from release.boot.copy import copy_to_layout
from tests.support.imagecheck.images import File, layer_of, only_image, write_image, write_index
from tests.support.imagecheck.tools import run, skopeo_copy, tool


def copied(name: str, folder: Path) -> str:
    with closing(open_source(parse_reference(name))) as source:
        return copy_to_layout(source, folder, ProgressBar())


def test_a_copy_has_the_same_digest_and_another_tool_reads_it(tmp_path: Path) -> None:
    # The same layer twice, as builders write it.
    layer = layer_of(File("a", "1"))
    image = write_image(tmp_path / "image", [layer, layer])
    skopeo_copy(image.reference, f"oci-archive:{tmp_path}/oci.tar:1")

    for number, name in enumerate((image.reference, f"oci-archive:{tmp_path}/oci.tar")):
        folder = tmp_path / str(number)

        assert copied(name, folder) == image.digest

        assert only_image(folder).digest == image.digest
        inspect = [tool("skopeo"), "inspect", "--raw", f"oci:{folder}"]
        assert run(inspect).encode() == image.blob(image.digest).read_bytes()
        skopeo_copy(f"oci:{folder}", f"oci:{folder}-again")


def test_what_changed_or_is_not_there_is_not_copied(tmp_path: Path) -> None:
    layer, other = layer_of(File("a", "1")), layer_of(File("a", "2"))
    image = write_image(tmp_path / "image", [layer])

    for number, content in enumerate((other.blob, layer.blob + b"x", layer.blob[:-1], b"")):
        image.blob(layer.digest).write_bytes(content)
        with pytest.raises(ImageReadError, match=f"{layer.digest} is something else"):
            copied(image.reference, tmp_path / str(number))
    image.blob(layer.digest).unlink()
    with pytest.raises(ImageReadError, match="has no blob"):
        copied(image.reference, tmp_path / "without")


def test_an_index_is_no_image(tmp_path: Path) -> None:
    index = write_index(tmp_path / "image", write_image(tmp_path / "image", []))

    with pytest.raises(ImageReadError, match="no image of one platform"):
        copied(index.reference, tmp_path / "copy")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    image = write_image(tmp_path / "image", [layer_of(File("a", "1"))])
    (tmp_path / "file").touch()

    with pytest.raises(ImageReadError, match="copy cannot be written: Not a directory"):
        copied(image.reference, tmp_path / "file" / "copy")


def test_a_document_that_is_another_one(tmp_path: Path) -> None:
    image = write_image(tmp_path / "image", [layer_of(File("a", "1"))])
    image.blob(image.digest).write_bytes(b"{}")

    with pytest.raises(ImageReadError, match="cannot be copied"):
        copied(f"{image.reference}@{image.digest}", tmp_path / "copy")
