"""A folder as skopeo writes it with ``dir:``."""

import json
import time
from pathlib import Path

import pytest

from imagecheck.image import files
from imagecheck.image.errors import ImageReadError
from imagecheck.image.image import FaultKind
from tests.support.errors import shows
from tests.support.imagecheck.images import File, layer_of, write_image, write_index
from tests.support.imagecheck.programs import HOST, OTHER
from tests.support.imagecheck.reading import read_image
from tests.support.imagecheck.tools import run, skopeo_copy

LAYER = layer_of(File("run", "#!/bin/sh\n", 0o755))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    image = write_image(tmp_path / "image", [LAYER], entrypoint=["/run"])
    skopeo_copy(image.reference, f"dir:{tmp_path / 'dir'}")
    return tmp_path / "dir"


def test_the_image_is_read(folder: Path) -> None:
    read = read_image(f"dir:{folder}")

    assert (read.faults, read.compressed_on_push) == ([], False)
    assert read.digest and read.config and read.config.architecture == HOST
    assert read.files and read.files.find("/run")


def test_an_index_with_all_its_images(tmp_path: Path) -> None:
    image = tmp_path / "image"
    index = write_index(
        image, *(write_image(image, [LAYER], architecture=cpu) for cpu in (HOST, OTHER))
    )
    run(["skopeo", "copy", "--all", index.reference, f"dir:{tmp_path / 'dir'}"])

    read = read_image(f"dir:{tmp_path / 'dir'}")

    assert (read.digest, read.faults) == (index.digest, [])
    assert read.config and read.config.architecture == HOST


@pytest.mark.parametrize("cached", [False, True])
def test_damage_is_found(
    folder: Path, tmp_path: Path, cached: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_TICK_SECONDS", 0.0)
    cache = tmp_path / "cache" if cached else None
    if cached:
        assert read_image(f"dir:{folder}", cache).faults == []
        time.sleep(0.1)  # The clock of a file system moves in ticks.
    path = folder / LAYER.digest.removeprefix("sha256:")
    path.write_bytes(path.read_bytes()[:-1] + b"x")

    assert [f.kind for f in read_image(f"dir:{folder}", cache).faults] == [FaultKind.WRONG_BYTES]

    path.unlink()
    assert [f.kind for f in read_image(f"dir:{folder}", cache).faults] == [FaultKind.BLOB_MISSING]


def test_what_is_no_such_folder(tmp_path: Path) -> None:
    image = write_image(tmp_path / "image", [LAYER])
    (tmp_path / "empty").mkdir()

    with pytest.raises(
        ImageReadError, check=shows(f"hint: it is an OCI image layout: oci:{image.folder}")
    ):
        read_image(f"dir:{image.folder}")
    with pytest.raises(ImageReadError, match=r"it has no manifest\.json"):
        read_image(f"dir:{tmp_path / 'empty'}")
    with pytest.raises(ImageReadError, match="No such file"):
        read_image(f"dir:{tmp_path / 'nowhere'}")
    (tmp_path / "empty/manifest.json").write_text(json.dumps([]))
    assert [f.kind for f in read_image(f"dir:{tmp_path / 'empty'}").faults] == [FaultKind.DOCUMENT]
