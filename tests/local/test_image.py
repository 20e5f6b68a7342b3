"""The image of a function's folder: true blobs, the same digest for the same files."""

import gzip
import hashlib
import io
import json
import os
import tarfile
from pathlib import Path

import pytest

from local.image import BuildImageError, LocalImage, build_image, push_image, write_layout
from tests.local.conftest import Client

BASE = "sha256:" + "5" * 64
DOCKERFILE = f'FROM registry/python:3.13@{BASE}\nCOPY rooms ./rooms\nCMD ["rooms.main.handler"]\n'


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "rooms").mkdir(parents=True)
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "rooms" / "main.py").write_text("def handler(event, context): ...\n")
    return folder


def test_config_layer_and_manifest_fit_together(source: Path) -> None:
    image = build_image(source, "arm64")
    manifest, config = json.loads(image.manifest.content), json.loads(image.config.content)
    assert manifest["layers"] == [image.layer.descriptor()]
    assert (
        manifest["config"]["digest"] == "sha256:" + hashlib.sha256(image.config.content).hexdigest()
    )
    assert (config["os"], config["architecture"]) == ("linux", "arm64")
    assert config["config"] == {"Cmd": ["rooms.main.handler"], "WorkingDir": "/var/task"}
    tar = gzip.decompress(image.layer.content)
    assert config["rootfs"]["diff_ids"] == ["sha256:" + hashlib.sha256(tar).hexdigest()]
    with tarfile.open(fileobj=io.BytesIO(tar)) as layer:
        assert layer.getnames() == ["var/task/rooms", "var/task/rooms/main.py"]
    assert (image.handler, image.base_digest) == ("rooms.main.handler", BASE)


def test_the_digest_depends_on_nothing_but_the_source(source: Path) -> None:
    first = build_image(source, "arm64")
    main = source / "rooms" / "main.py"
    os.utime(main, (1, 1))
    main.chmod(0o700)
    (source / "rooms" / "__pycache__").mkdir()
    (source / "rooms" / "__pycache__" / "main.pyc").write_bytes(b"\0")
    assert build_image(source, "arm64") == first
    main.write_text("def handler(event, context): pass\n")
    assert build_image(source, "arm64").manifest.digest != first.manifest.digest


def test_the_architecture_is_written_as_images_write_it(source: Path) -> None:
    assert json.loads(build_image(source, "x86_64").config.content)["architecture"] == "amd64"


@pytest.mark.parametrize(
    "dockerfile",
    [
        "FROM registry/python:3.13\n" + DOCKERFILE.partition("\n")[2],
        DOCKERFILE.replace("CMD", "#"),
    ],
)
def test_a_dockerfile_without_base_digest_or_command_is_refused(
    source: Path, dockerfile: str
) -> None:
    (source / "Dockerfile").write_text(dockerfile)
    with pytest.raises(BuildImageError, match="base image by digest"):
        build_image(source, "arm64")


def test_the_registry_answers_the_digest_of_the_manifest(aws: Client, source: Path) -> None:
    ecr = aws("ecr")
    ecr.create_repository(repositoryName="rooms", imageTagMutability="IMMUTABLE")
    image = build_image(source, "arm64")
    digest = push_image(ecr, "rooms", image)
    assert digest == "sha256:" + hashlib.sha256(image.manifest.content).hexdigest()
    found = ecr.batch_get_image(repositoryName="rooms", imageIds=[{"imageDigest": digest}])
    assert found["images"][0]["imageManifest"].encode() == image.manifest.content
    available = ecr.batch_check_layer_availability(
        repositoryName="rooms", layerDigests=[image.layer.digest, image.config.digest]
    )
    assert {layer["layerAvailability"] for layer in available["layers"]} == {"AVAILABLE"}


def test_another_digest_from_the_registry_is_an_error(source: Path) -> None:
    class Ecr:
        def __getattr__(self, name: str) -> object:
            answer = {"uploadId": "1", "image": {"imageId": {"imageDigest": "sha256:0"}}}
            return lambda **_: answer

    with pytest.raises(BuildImageError, match="the registry returned sha256:0"):
        push_image(Ecr(), "rooms", build_image(source, "arm64"))


def test_the_layout_holds_every_blob_under_its_digest(source: Path, tmp_path: Path) -> None:
    image: LocalImage = build_image(source, "arm64")
    write_layout(image, tmp_path / "layout")
    index = json.loads((tmp_path / "layout" / "index.json").read_text())
    assert index["manifests"] == [image.manifest.descriptor()]
    blobs = {path.name: path.read_bytes() for path in (tmp_path / "layout").glob("blobs/sha256/*")}
    assert len(blobs) == 3
    assert all(hashlib.sha256(content).hexdigest() == name for name, content in blobs.items())
