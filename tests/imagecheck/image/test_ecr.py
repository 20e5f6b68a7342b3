"""Private ECR, as moto has it; what moto lacks is stubbed as AWS documents it."""

import json
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from imagecheck.image.ecr import EcrSource
from imagecheck.image.errors import ImageReadError, NotInRegistryError
from imagecheck.image.manifest import (
    DOCKER_MANIFEST,
    MANIFEST_TYPES,
    OCI_MANIFEST,
    Descriptor,
    digest_of,
)
from imagecheck.image.reference import RegistryReference
from imagecheck.image.source import Document, ImageSource
from tests.support.errors import shows
from tests.support.imagecheck.http_server import Answer, Request, serving
from tests.support.imagecheck.tools import run

REGION = "ap-northeast-1"
ACCOUNT = "123456789012"
HOST = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
REPOSITORY = "team/app"
WHERE = {"registryId": ACCOUNT, "repositoryName": REPOSITORY}
CONTENT = b"content" * 100_000
LAYER = Descriptor(digest=digest_of(CONTENT), size=len(CONTENT))
DIGEST = "sha256:" + "1" * 64
SIGNATURE = "X-Amz-Signature=0123456789abcdef"
MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "size": 2},
        "layers": [],
    }
)


@pytest.fixture(autouse=True)
def credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials of nobody, and none of the machine's."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")


def source_of(tag: str | None = "1.0", digest: str | None = None) -> EcrSource:
    return EcrSource(RegistryReference(HOST, REPOSITORY, tag, digest), sleep=lambda _: None)


@contextmanager
def stubbed() -> Iterator[tuple[EcrSource, Stubber]]:
    source = source_of(None, DIGEST)
    with Stubber(source._ecr) as stubber:
        yield source, stubber
        stubber.assert_no_pending_responses()
    source.close()


@pytest.fixture
def ecr() -> Iterator[Any]:
    """An emulated ECR with an empty repository."""
    with mock_aws():
        client = boto3.Session().client("ecr", region_name=REGION)
        client.create_repository(repositoryName=REPOSITORY)
        yield client


def put_image(ecr: Any) -> str:
    put = ecr.put_image(
        repositoryName=REPOSITORY,
        imageManifest=MANIFEST,
        imageManifestMediaType=OCI_MANIFEST,
        imageTag="1.0",
    )
    return str(put["image"]["imageId"]["imageDigest"])


def test_a_manifest_comes_by_tag_and_by_digest(ecr: Any) -> None:
    digest = put_image(ecr)
    expected = Document(OCI_MANIFEST, MANIFEST.encode())
    source: ImageSource = source_of()
    assert source.root() == expected
    assert source.manifest(Descriptor(digest=digest, size=len(MANIFEST))) == expected
    # The digest decides where there is a tag too.
    assert source_of("missing", digest).root() == expected


def test_every_kind_of_manifest_is_asked_for() -> None:
    image = {"imageManifest": "{}", "imageManifestMediaType": DOCKER_MANIFEST}
    with stubbed() as (source, stubber):
        stubber.add_response(
            "batch_get_image",
            {"images": [image], "failures": []},
            {
                **WHERE,
                "imageIds": [{"imageDigest": DIGEST}],
                "acceptedMediaTypes": list(MANIFEST_TYPES),
            },
        )
        assert source.root() == Document(DOCKER_MANIFEST, b"{}")


@pytest.mark.usefixtures("ecr")
def test_an_image_that_is_not_there_is_said_to_be_not_there() -> None:
    with pytest.raises(NotInRegistryError, match=f"{HOST}/{REPOSITORY} has no image 1.0"):
        source_of().root()
    with pytest.raises(NotInRegistryError, match=DIGEST):
        source_of().manifest(Descriptor(digest=DIGEST, size=1))


def test_a_repository_that_is_not_there_is_said_to_be_not_there() -> None:
    with mock_aws():
        source = source_of()
        with pytest.raises(NotInRegistryError, match="there is no such repository"):
            source.root()
        with pytest.raises(NotInRegistryError, match="there is no such repository"):
            source.has_blob(LAYER)
        with pytest.raises(NotInRegistryError, match="there is no such repository"):
            source.repository_policy()
        with pytest.raises(NotInRegistryError, match="there is no such repository"):
            source.image_status(DIGEST)


def test_an_image_that_ecr_keeps_to_itself_is_no_missing_one() -> None:
    failure = {"failureCode": "KmsError", "failureReason": "", "imageId": {"imageDigest": DIGEST}}
    with stubbed() as (source, stubber):
        stubber.add_response("batch_get_image", {"images": [], "failures": [failure]})
        with pytest.raises(ImageReadError, match="KmsError"):
            source.root()


@contextmanager
def stored(answer: Answer, downloads: int = 1) -> Iterator[tuple[EcrSource, list[Request]]]:
    """An image whose layer is in a storage that answers so, under a URL that is a secret."""
    with serving(lambda _: answer) as storage, stubbed() as (source, stubber):
        for _ in range(downloads):
            stubber.add_response(
                "get_download_url_for_layer",
                {"downloadUrl": f"{storage.url}/layer?{SIGNATURE}", "layerDigest": LAYER.digest},
                {**WHERE, "layerDigest": LAYER.digest},
            )
        yield source, storage.requests


def test_a_layer_is_read_from_where_ecr_says_without_credentials() -> None:
    with stored(Answer(body=CONTENT)) as (source, requests), source.blob(LAYER) as blob:
        assert blob.read() == CONTENT
    [request] = requests
    assert request.path == f"/layer?{SIGNATURE}"
    assert "authorization" not in request.headers


def test_a_broken_download_goes_on_under_a_new_url() -> None:
    cut = Answer(headers={"Content-Length": str(len(CONTENT))}, body=CONTENT[:1000])
    with stored(cut, downloads=2) as (source, requests):
        with pytest.raises(ImageReadError, match=HOST) as caught, source.blob(LAYER) as blob:
            blob.read()
        assert SIGNATURE not in shown(caught.value)
    assert [request.headers.get("range") for request in requests] == [None, "bytes=1000-"]


@pytest.mark.parametrize("status", [400, 403, 404, 503])
def test_a_download_that_is_refused_does_not_show_its_url(status: int) -> None:
    with (
        stored(Answer(status, body=SIGNATURE.encode())) as (source, _),
        pytest.raises(ImageReadError, match=f"HTTP {status}") as caught,
        source.blob(LAYER),
    ):
        pass
    assert SIGNATURE not in shown(caught.value)


@pytest.mark.parametrize("code", ["LayersNotFoundException", "LayerInaccessibleException"])
def test_a_layer_without_a_url_is_not_there(code: str) -> None:
    with stubbed() as (source, stubber):
        stubber.add_client_error("get_download_url_for_layer", code)
        with pytest.raises(NotInRegistryError, match="no such blob"), source.blob(LAYER):
            pass


@pytest.mark.parametrize(
    ("layer", "there"),
    [
        ({"layerAvailability": "AVAILABLE", "layerSize": LAYER.size}, True),
        ({"layerAvailability": "AVAILABLE", "layerSize": LAYER.size + 1}, False),
        ({"layerAvailability": "AVAILABLE"}, True),
        ({"layerAvailability": "UNAVAILABLE", "layerSize": LAYER.size}, False),
        ({"layerAvailability": "ARCHIVED", "layerSize": LAYER.size}, False),
        (None, False),
    ],
)
def test_a_layer_is_there_when_it_is_available_in_its_size(
    layer: dict[str, Any] | None, there: bool
) -> None:
    with stubbed() as (source, stubber):
        stubber.add_response(
            "batch_check_layer_availability",
            {"layers": [layer] if layer else [], "failures": []},
            {**WHERE, "layerDigests": [LAYER.digest]},
        )
        assert source.has_blob(LAYER) is there


@pytest.mark.usefixtures("ecr")
def test_a_layer_that_was_never_pushed_is_not_there() -> None:
    assert not source_of().has_blob(LAYER)


def test_the_policy_of_a_repository_is_its_text_or_none(ecr: Any) -> None:
    source = source_of()
    assert source.repository_policy() is None
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    ecr.set_repository_policy(repositoryName=REPOSITORY, policyText=json.dumps(policy))
    assert json.loads(source.repository_policy() or "") == policy


@pytest.mark.parametrize(
    ("detail", "status"),
    [
        ({"imageStatus": "ACTIVE"}, "ACTIVE"),
        ({"imageStatus": "ARCHIVED"}, "ARCHIVED"),
        ({}, None),
    ],
)
def test_archived_images_are_asked_for_too(detail: dict[str, str], status: str | None) -> None:
    with stubbed() as (source, stubber):
        stubber.add_response(
            "describe_images",
            {"imageDetails": [{"imageDigest": DIGEST, **detail}]},
            {**WHERE, "imageIds": [{"imageDigest": DIGEST}], "filter": {"imageStatus": "ANY"}},
        )
        assert source.image_status(DIGEST) == status


def test_the_status_of_an_image_that_is_not_there_is_an_error(ecr: Any) -> None:
    digest = put_image(ecr)
    assert source_of().image_status(digest) in ("ACTIVE", None)
    with pytest.raises(NotInRegistryError, match="it has no such image"):
        source_of().image_status(DIGEST)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("AccessDeniedException", "may not do ecr:BatchGetImage"),
        ("ExpiredTokenException", "have expired\nhint: get new ones"),
        ("UnrecognizedClientException", "does not know the credentials"),
        ("InvalidSignatureException", "does not know the credentials"),
        ("ThrottlingException", "answers ThrottlingException to ecr:BatchGetImage"),
    ],
)
def test_a_refusal_says_what_to_do_and_does_not_quote(code: str, words: str) -> None:
    with stubbed() as (source, stubber):
        stubber.add_client_error("batch_get_image", code, f"the request was {SIGNATURE}")
        with pytest.raises(ImageReadError, check=shows(words)) as caught:
            source.root()
    assert SIGNATURE not in shown(caught.value)


def test_a_denied_policy_names_that_action() -> None:
    with stubbed() as (source, stubber):
        stubber.add_client_error("get_repository_policy", "AccessDeniedException")
        with pytest.raises(ImageReadError, match="may not do ecr:GetRepositoryPolicy"):
            source.repository_policy()


def test_without_credentials_people_are_told_to_get_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(
        ImageReadError, check=shows("no AWS credentials are found\nhint: set AWS_PROFILE")
    ):
        source_of().root()


def test_a_profile_that_is_not_configured_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(ImageReadError, match="AWS_PROFILE names a profile that is not configured"):
        source_of()


def test_an_ecr_that_cannot_be_reached_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_ECR", "http://127.0.0.1:9")
    with pytest.raises(ImageReadError, match="AWS cannot be reached"):
        source_of().root()


def test_boto3_is_not_loaded_before_an_ecr_is_read() -> None:
    run(
        [
            sys.executable,
            "-c",
            "import imagecheck.image.ecr, sys; assert 'boto3' not in sys.modules",
        ]
    )


def test_another_registry_is_not_read_so() -> None:
    with pytest.raises(ValueError, match="not in a private ECR"):
        EcrSource(RegistryReference("public.ecr.aws", REPOSITORY, "1.0"))


def shown(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))
