"""Names of images, as containers tools write them."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagecheck.image.private_ecr import PrivateEcr
from imagecheck.image.reference import (
    FileReference,
    InvalidReferenceError,
    RegistryReference,
    parse_reference,
)
from imagecheck.image.registry_session import access_to
from tests.support.errors import shown, shows

DIGEST = "sha256:" + "0123456789abcdef" * 4
ECR = "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com"


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("oci:build/image", FileReference("oci", Path("build/image"))),
        ("oci:/build/image:v1", FileReference("oci", Path("/build/image"), tag="v1")),
        (f"oci:image@{DIGEST}", FileReference("oci", Path("image"), digest=DIGEST)),
        ("oci:a@b", FileReference("oci", Path("a@b"))),
        ("oci-archive:i.tar:v1", FileReference("oci-archive", Path("i.tar"), tag="v1")),
        ("oci:C:\\build\\image", FileReference("oci", Path("C:\\build\\image"))),
        ("oci:c:/build/image:v1", FileReference("oci", Path("c:/build/image"), tag="v1")),
        (f"oci-archive:i.tar@{DIGEST}", FileReference("oci-archive", Path("i.tar"), digest=DIGEST)),
        ("docker-archive:i.tar", FileReference("docker-archive", Path("i.tar"))),
        ("docker-archive:i.tar:a/b:v1", FileReference("docker-archive", Path("i.tar"), "a/b:v1")),
        (f"docker://{ECR}/a/b@{DIGEST}", RegistryReference(ECR, "a/b", digest=DIGEST)),
        ("docker://localhost:5000/a:v1", RegistryReference("localhost:5000", "a", tag="v1")),
        ("docker://[::1]:5000/a:v1", RegistryReference("[::1]:5000", "a", tag="v1")),
        (f"docker://h.io/a:v1@{DIGEST}", RegistryReference("h.io", "a", "v1", DIGEST)),
        ("dir:build/image", FileReference("dir", Path("build/image"))),
        ("docker://h.io/a__b/c-d.e_f:V.1-_", RegistryReference("h.io", "a__b/c-d.e_f", "V.1-_")),
    ],
)
def test_every_form_is_read_and_written_back(
    text: str, reference: FileReference | RegistryReference
) -> None:
    assert parse_reference(text) == reference
    assert str(reference) == text


@pytest.mark.parametrize(
    ("name", "repository"),
    [
        ("nginx:latest", "library/nginx"),
        ("library/nginx:latest", "library/nginx"),
        ("docker.io/nginx:latest", "nginx"),
        ("bitnami/nginx:latest", "bitnami/nginx"),
        ("a/b/c:latest", "a/b/c"),
    ],
)
def test_a_name_without_a_host_is_docker_hubs(name: str, repository: str) -> None:
    """As skopeo and Docker take it; Docker Hub's registry has a name of its own."""
    reference = parse_reference(f"docker://{name}")

    assert reference == RegistryReference("docker.io", repository, "latest")
    assert isinstance(reference, RegistryReference)
    access = access_to(reference)
    assert str(access.registry) == "https://registry-1.docker.io"
    assert access.repository == (repository if "/" in repository else f"library/{repository}")


@pytest.mark.parametrize(
    "text",
    [
        "", "rooms", "oci", "oci:", "oci::v1", f"oci:@{DIGEST}", "docker:", "docker://", "docker:x",
        "dir:", "docker-daemon:x:y", "OCI:x", "containers-storage:x",
        f"docker-archive:i.tar@{DIGEST}",
        "docker://h", "docker://h.io/", "docker:///a:v1", "docker://h.io/a", "docker://h.io/A:v1",
        "docker://h.io/a:", "docker://h.io/a:-v", "docker://h.io/a:" + "x" * 129,
        "docker://h.io/a b:v1",
        "docker://h.io/../a:v1", "docker://h.io//a:v1", "docker://h.io/a/:v1", "docker://h:port/a:v1",
        "docker://h\n/a:v1", "docker://h.io/a:v1\n",
        "docker://h.io/a@sha256:abc", f"docker://h.io/a@{DIGEST.upper()}", f"docker://h.io/a@{DIGEST}0",
        "docker://h.io/a@sha512:" + "0" * 128, f"docker://h.io/a@{DIGEST}\n", "docker://h.io/a@",
        "docker://h.io/a?x=1:v1",
    ],
)  # fmt: skip
def test_what_names_no_image(text: str) -> None:
    with pytest.raises(InvalidReferenceError) as error:
        parse_reference(text)

    assert str(error.value)


@settings(deadline=None)
@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    for form in ("{}", "oci:{}", "docker://{}", "docker://h.io/{}", "docker-archive:{}"):
        try:
            reference = parse_reference(form.format(text))
        except InvalidReferenceError:
            continue
        assert str(reference)


@pytest.mark.parametrize(
    "text",
    [
        "docker://me:hunter2@h/a:v1",
        f"docker://me:hunter2@h/a@{DIGEST}",
        "docker://hunter2@h/a",
        "docker:me:hunter2@h/a:v1",
        "https://me:hunter2@h/a:v1",
        "me:hunter2@h/a:v1",
        "docker://h.io/a@hunter2",
    ],
)
def test_what_may_be_a_password_is_not_repeated(text: str) -> None:
    with pytest.raises(InvalidReferenceError) as error:
        parse_reference(text)

    assert "hunter2" not in shown(error.value)


def test_a_forgotten_transport_is_suggested(tmp_path: Path) -> None:
    with pytest.raises(InvalidReferenceError, check=shows(r"hint: .*docker://ghcr\.io/a/b:v1")):
        parse_reference("ghcr.io/a/b:v1")
    with pytest.raises(InvalidReferenceError) as error:
        parse_reference(str(tmp_path))
    assert "docker:///" not in shown(error.value)


def test_a_missing_digest_is_asked_for() -> None:
    with pytest.raises(
        InvalidReferenceError, check=shows(r"hint: add the digest: docker://h\.io/a@sha256:")
    ):
        parse_reference("docker://h.io/a")


def test_what_exists_decides_which_colon_ends_the_path(tmp_path: Path) -> None:
    folder = tmp_path / "with:colon"
    folder.mkdir()

    assert parse_reference(f"oci:{folder}") == FileReference("oci", folder)
    assert parse_reference(f"oci:{folder}:v1") == FileReference("oci", folder, "v1")
    assert parse_reference(f"docker-archive:{folder}:a:v1") == FileReference(
        "docker-archive", folder, "a:v1"
    )
    missing = f"{tmp_path}/missing"
    assert parse_reference(f"oci:{missing}:a:b") == FileReference("oci", Path(missing), "a:b")


def test_a_path_that_is_too_long_is_only_read() -> None:
    assert parse_reference("oci:" + "x" * 5000) == FileReference("oci", Path("x" * 5000))


@pytest.mark.parametrize(
    ("host", "ecr"),
    [
        (ECR, PrivateEcr("123456789012", "ap-northeast-1")),
        (f"{ECR}.cn", PrivateEcr("123456789012", "ap-northeast-1")),
        ("public.ecr.aws", None),
        (f"{ECR}.example.com", None),
        (f"{ECR}:443", None),
        ("12345678901.dkr.ecr.eu-west-1.amazonaws.com", None),
        ("123456789012.dkr.ecr-fips.us-east-1.amazonaws.com", None),
    ],
)
def test_private_ecr(host: str, ecr: PrivateEcr | None) -> None:
    assert RegistryReference(host, "a").private_ecr == ecr


@pytest.mark.parametrize(
    ("host", "is_loopback"),
    [
        ("localhost", True), ("localhost:5000", True), ("127.0.0.1:5000", True),
        ("127.8.8.8", True), ("[::1]:5000", True), ("localhost.example.com", False),
        ("10.0.0.1", False), ("127.0.0.1.example.com", False), ("0.0.0.0", False),
    ],
)  # fmt: skip
def test_loopback(host: str, is_loopback: bool) -> None:
    assert RegistryReference(host, "a").is_loopback is is_loopback
