"""Archives of ``docker save``: from real tools, and broken on purpose."""

import gzip
import io
import json
import tarfile
from pathlib import Path

import pytest

from imagecheck.check import check_image
from imagecheck.image.errors import ImageReadError
from imagecheck.image.image import FaultKind
from imagecheck.image.layer_cache import LayerCache
from imagecheck.image.manifest import DOCKER_MANIFEST
from imagecheck.image.reference import InvalidReferenceError, parse_reference
from tests.support.errors import shows
from tests.support.imagecheck.cases import ON_HOST, Silent, findings_of
from tests.support.imagecheck.images import (
    File,
    Symlink,
    layer_of,
    write_attestation,
    write_image,
    write_index,
    write_layout,
)
from tests.support.imagecheck.programs import HOST
from tests.support.imagecheck.reading import read_image
from tests.support.imagecheck.tools import skopeo_copy

LAYERS = [layer_of(File("run", "#!/bin/sh\n", 0o755)), layer_of(File("data", "x"))]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    image = write_image(tmp_path / "image", LAYERS, entrypoint=["/run"])
    path = tmp_path / "image.tar"
    skopeo_copy(image.reference, f"docker-archive:{path}:rooms:v1")
    return path


def members_of(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as tar:
        return {member.name: file.read() for member in tar if (file := tar.extractfile(member))}


def write(archive: Path, members: dict[str, bytes], links: dict[str, str] | None = None) -> None:
    with tarfile.open(archive, "w") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            tar.addfile(info)


def test_an_archive_is_read_as_what_a_push_makes_of_it(archive: Path) -> None:
    (image,) = json.loads(members_of(archive)["manifest.json"])
    for name in (f"docker-archive:{archive}", f"docker-archive:{archive}:{image['RepoTags'][0]}"):
        read = read_image(name)
        assert (read.digest, read.compressed_on_push, read.faults) == (None, True, [])
        assert read.root_media_type == DOCKER_MANIFEST
        assert read.config and read.config.architecture == HOST
        assert read.files and read.files.find("/run") and read.files.find("/data")


def test_layers_as_docker_saved_them_of_old(archive: Path) -> None:
    """Layers that occur twice were links to the first."""
    members = members_of(archive)
    (image,) = json.loads(members["manifest.json"])
    first, second = image["Layers"]
    image["Layers"] = ["one/layer.tar", "two/layer.tar"]
    members["manifest.json"] = json.dumps([image]).encode()
    members["one/layer.tar"] = members.pop(second)
    write(archive, members, links={"two/layer.tar": f"../{first}"})

    read = read_image(f"docker-archive:{archive}")

    assert [fault.kind for fault in read.faults] == [FaultKind.DIFF_ID] * 2
    assert read.files and read.files.find("/run")


def test_a_layer_that_was_changed(archive: Path) -> None:
    members = members_of(archive)
    (image,) = json.loads(members["manifest.json"])
    members[image["Layers"][1]] = gzip.decompress(layer_of(Symlink("data", "run")).blob)
    write(archive, members)

    read = read_image(f"docker-archive:{archive}")

    assert [fault.kind for fault in read.faults] == [FaultKind.DIFF_ID]


def test_one_of_several_images(archive: Path) -> None:
    members = members_of(archive)
    (image,) = json.loads(members["manifest.json"])
    tagged = [{**image, "RepoTags": [f"rooms:v{n}"]} for n in range(2)]
    members["manifest.json"] = json.dumps(tagged).encode()
    write(archive, members)

    assert read_image(f"docker-archive:{archive}:rooms:v1").config
    with pytest.raises(ImageReadError, check=shows("several images\nhint: name one")):
        read_image(f"docker-archive:{archive}")
    with pytest.raises(ImageReadError, check=shows("no image rooms:v2\nhint: name one")):
        read_image(f"docker-archive:{archive}:rooms:v2")


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[null]", b"[" * 100_000, b'[{"Config": 5}]', b'[{"x": ' + b"[" * 100_000],
)
def test_a_manifest_that_is_none(archive: Path, content: bytes) -> None:
    write(archive, {**members_of(archive), "manifest.json": content})

    with pytest.raises(ImageReadError, match=r"`docker save` writes: manifest\.json"):
        read_image(f"docker-archive:{archive}")


@pytest.mark.parametrize("missing", ["manifest.json", "Config", "Layers"])
def test_what_is_missing_is_named(archive: Path, missing: str) -> None:
    members = members_of(archive)
    (image,) = json.loads(members["manifest.json"])
    name = {"Config": image["Config"], "Layers": image["Layers"][1]}.get(missing, missing)
    del members[name]
    write(archive, members)

    with pytest.raises(ImageReadError, match=f"docker save` writes: it has no file '{name}'"):
        read_image(f"docker-archive:{archive}")


def test_a_manifest_that_is_too_long(archive: Path) -> None:
    write(archive, {**members_of(archive), "manifest.json": b" " * 5_000_000})

    with pytest.raises(ImageReadError, match="more than"):
        read_image(f"docker-archive:{archive}")


def test_a_compressed_archive(archive: Path) -> None:
    plain = read_image(f"docker-archive:{archive}")
    compressed = archive.with_name("image.tar.gz")
    compressed.write_bytes(gzip.compress(archive.read_bytes()))

    read = read_image(f"docker-archive:{compressed}")

    assert read.faults == []
    assert (read.manifest, read.layers) == (plain.manifest, plain.layers)


@pytest.mark.parametrize("attested", [True, False])
def test_an_archive_of_the_containerd_store(tmp_path: Path, attested: bool) -> None:
    """Beside Docker's own manifest it has a layout, which names what a push sends."""
    image = write_image(tmp_path / "image", LAYERS, entrypoint=["/run"])
    pushed = write_index(tmp_path / "image", image, write_attestation(image)) if attested else image
    write_layout(tmp_path / "image", pushed)
    manifest = json.loads(image.blob(image.digest).read_bytes())
    blobs = {
        f"blobs/sha256/{path.name}": path.read_bytes()
        for path in (tmp_path / "image/blobs/sha256").iterdir()
    }
    listed = {
        "Config": f"blobs/sha256/{manifest['config']['digest'][7:]}",
        "RepoTags": ["rooms:v1"],
        "Layers": [f"blobs/sha256/{layer.digest[7:]}" for layer in LAYERS],
    }
    index = (tmp_path / "image/index.json").read_bytes()
    archive = tmp_path / "saved.tar"
    write(archive, {**blobs, "index.json": index, "manifest.json": json.dumps([listed]).encode()})

    for name in (f"docker-archive:{archive}", f"docker-archive:{archive}:rooms:v1"):
        read = read_image(name)
        assert (read.faults, read.compressed_on_push) == ([], not attested)
        assert read.root and read.root.is_index == attested
        assert read.files and read.files.find("/run")
        cache = LayerCache(tmp_path / "layers")
        report = check_image(parse_reference(name), ON_HOST, cache=cache, progress=Silent())
        of_format = {rule: s for rule, s in findings_of(report).items() if rule.startswith("B")}
        assert of_format == ({"B2": "error"} if attested else {})


def test_a_digest_means_nothing(archive: Path) -> None:
    with pytest.raises(InvalidReferenceError, match="no digests"):
        read_image(f"docker-archive:{archive}@sha256:{'0' * 64}")
