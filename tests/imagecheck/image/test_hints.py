"""Hints for invalid image references: they can be copied, and they work."""

import re
from pathlib import Path

import pytest

from imagecheck.image.errors import ImageReadError
from imagecheck.image.hints import hint_for
from imagecheck.image.reference import InvalidReferenceError, parse_reference
from tests.support.errors import shows
from tests.support.imagecheck.images import File, layer_of, write_image
from tests.support.imagecheck.reading import read_image
from tests.support.imagecheck.tools import skopeo_copy

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nginx", "docker://nginx:latest"),
        ("nginx:latest", "docker://nginx:latest"),
        ("library/nginx:latest", "docker://library/nginx:latest"),
        ("ghcr.io/a/b:v1", "docker://ghcr.io/a/b:v1"),
        (f"{ECR}/rooms:v1", f"docker://{ECR}/rooms:v1"),
        (f"{ECR}/rooms@{DIGEST}", f"docker://{ECR}/rooms@{DIGEST}"),
        (f"https://{ECR}/rooms:v1", f"docker://{ECR}/rooms:v1"),
        ("docker:nginx:latest", "docker://nginx:latest"),
        ("docker-daemon:rooms:v1", "docker save rooms:v1 --output image.tar"),
        ("docker-daemon:rooms:v1", "docker-archive:image.tar"),
        ("containers-storage:localhost/rooms", "podman save --format oci-archive"),
        ("https://hub.docker.com/_/nginx", "docker://nginx:TAG"),
        ("https://hub.docker.com/r/bitnami/nginx", "docker://bitnami/nginx:TAG"),
        ("https://gallery.ecr.aws/lambda/python", "docker://public.ecr.aws/lambda/python:TAG"),
        (
            "arn:aws:lambda:eu-west-1:123456789012:function:rooms:live",
            "get-function --function-name rooms --query Code.ResolvedImageUri",
        ),
        (
            "arn:aws:ecr:eu-west-1:123456789012:repository/team/rooms",
            f"docker://{ECR}/team/rooms@sha256:...",
        ),
    ],
)
def test_what_is_said(text: str, said: str) -> None:
    with pytest.raises(InvalidReferenceError) as error:
        parse_reference(text)

    assert said in str(error.value.hint)


def test_an_image_without_its_transport(tmp_path: Path) -> None:
    image = write_image(tmp_path / "image", [layer_of(File("run"))])
    skopeo_copy(image.reference, f"dir:{tmp_path / 'dir'}")
    skopeo_copy(image.reference, f"docker-archive:{tmp_path / 'docker.tar'}:rooms:v1")
    skopeo_copy(image.reference, f"oci-archive:{tmp_path / 'oci.tar'}")

    for name, transport in {
        "image": "oci", "dir": "dir", "docker.tar": "docker-archive", "oci.tar": "oci-archive",
    }.items():  # fmt: skip
        hint = hint_for(str(tmp_path / name))
        assert hint
        assert hint.endswith(f" {transport}:{tmp_path / name}")
        assert read_image(hint.rpartition(" ")[2]).faults == []


def test_what_is_built_first(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("# syntax=docker/dockerfile:1\nFROM scratch\n")

    built = "first: run `docker buildx build --provenance=false "
    assert built in str(hint_for(str(tmp_path)))
    assert f"--file {tmp_path}/Dockerfile {tmp_path}`" in str(hint_for(f"{tmp_path}/Dockerfile"))


def test_what_has_no_image_in_it(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    (tmp_path / "empty").touch()

    for name in ("text", "empty"):
        assert hint_for(str(tmp_path / name)) == "this file holds no image"
    assert hint_for(str(tmp_path)) == "this folder holds no image"
    assert hint_for("/nowhere/at/all") is None


def test_a_wrong_tag_is_answered_with_those_that_are_there(tmp_path: Path) -> None:
    image = write_image(tmp_path / "image", [layer_of(File("run"))])
    skopeo_copy(image.reference, f"docker-archive:{tmp_path / 'docker.tar'}:rooms:v1")

    with pytest.raises(
        ImageReadError, check=shows("no image with the tag v2\nhint: its tags are latest")
    ):
        read_image(f"{image.reference}:v2")
    with pytest.raises(ImageReadError, check=shows("no image rooms:v2\nhint: name one:")) as error:
        read_image(f"docker-archive:{tmp_path / 'docker.tar'}:rooms:v2")
    found = re.search(r"docker-archive:\S+", str(error.value.hint))
    assert found and read_image(found[0]).faults == []


def test_the_other_transport_of_a_folder_or_archive(tmp_path: Path) -> None:
    image = write_image(tmp_path / "image", [layer_of(File("run"))])
    skopeo_copy(image.reference, f"docker-archive:{tmp_path / 'docker.tar'}:rooms:v1")
    skopeo_copy(image.reference, f"dir:{tmp_path / 'dir'}")

    with pytest.raises(ImageReadError, check=shows(r"hint: it may be docker-archive:")):
        read_image(f"oci-archive:{tmp_path / 'docker.tar'}")
    with pytest.raises(ImageReadError, check=shows(r"hint: it may be dir:")):
        read_image(f"oci:{tmp_path / 'dir'}")
