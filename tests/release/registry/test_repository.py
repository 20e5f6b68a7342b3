"""A stage's repository: what ECR says of its images, and the tags that they get."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from botocore.stub import ANY, Stubber
from moto import mock_aws

from config.project import Stage
from imagecheck.errors import FailedError
from imagecheck.image.aws import aws_client
from imagecheck.image.open_source import open_source
from imagecheck.image.reference import RegistryReference, parse_reference
from local.docker_registry import running_registry
from release.errors import RefusedError
from release.registry.ecr_access import ecr_access
from release.registry.push import push
from release.registry.repository import StageRepository, StoredImage, tag_deployed
from tests.release.registry.test_push import Counting
from tests.support.errors import shows
from tests.support.imagecheck.images import File, Image, layer_of, write_image
from tests.support.release.emulated_ecr import (
    HOST,
    PUSHED,
    REGION,
    EmulatedEcr,
    emulated_ecr,
    use_credentials_of_nobody,
)

NAME = "hima-five-bomber-dev-rooms"
DIGEST = "sha256:" + "1" * 64
TAG = "a" * 40


@pytest.fixture(autouse=True)
def credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_credentials_of_nobody(tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_registry(tmp_path_factory.mktemp("registry")) as host:
        yield host


@pytest.fixture
def ecr(registry: str) -> Iterator[EmulatedEcr]:
    with emulated_ecr(registry, [NAME]) as ecr:
        yield ecr


@pytest.fixture
def image(tmp_path: Path) -> Image:
    return write_image(tmp_path / "image", [layer_of(File("app", str(tmp_path)))])


@contextmanager
def stubbed(stage: Stage) -> Iterator[tuple[StageRepository, Stubber]]:
    """What neither moto nor a registry does."""
    client = aws_client("ecr", REGION)
    with (
        patch.object(Stage, "client", return_value=client),
        Stubber(client) as stubber,
    ):
        yield StageRepository(stage), stubber
        stubber.assert_no_pending_responses()


def pushed(repository: StageRepository, image: Image, tag: str | None = None) -> str:
    source = open_source(parse_reference(image.reference))
    with closing(source), repository.opened() as registry:
        return push(source, registry, tag=tag, progress=Counting()).digest


@pytest.mark.usefixtures("ecr")
def test_an_image_is_pushed_found_and_read(stage: Stage, image: Image) -> None:
    repository = StageRepository(stage)
    assert repository.uri == f"{HOST}/{NAME}"
    assert repository.image(image.digest) is None
    assert repository.status(image.digest) is None
    assert repository.tags(image.digest) == frozenset()

    tag = image.digest[7:47]
    pushed(repository, image, tag)

    found = StoredImage(image.digest, "ACTIVE", frozenset({tag}), PUSHED)
    assert repository.require(image.digest) == found
    assert repository.tagged(tag) == found
    assert repository.tagged("other") is None
    with closing(repository.source(image.digest)) as source:
        assert source.root().content == image.blob(image.digest).read_bytes()
        assert source.reference == RegistryReference(HOST, NAME, None, image.digest)


@pytest.mark.proof
@pytest.mark.usefixtures("ecr")
def test_a_tag_is_added_once(stage: Stage, image: Image) -> None:
    repository = StageRepository(stage)
    pushed(repository, image)

    tag = f"deployed-dev-{image.digest[7:19]}"
    assert tag_deployed(stage, image.digest) == tag
    assert tag_deployed(stage, image.digest) == tag
    assert repository.add_tag(image.digest, "more")
    assert not repository.add_tag(image.digest, "more")

    assert repository.tags(image.digest) == {tag, "more"}


@pytest.mark.proof
@pytest.mark.usefixtures("ecr")
def test_a_tag_that_is_taken_stays(stage: Stage, image: Image, tmp_path: Path) -> None:
    repository = StageRepository(stage)
    other = write_image(tmp_path / "other", [layer_of(File("app", f"another {tmp_path}"))])
    pushed(repository, image, "taken")
    pushed(repository, other)

    with pytest.raises(RefusedError, match=f"the tag taken .* is that of {image.digest}"):
        repository.add_tag(other.digest, "taken")

    holder = repository.tagged("taken")
    assert holder
    assert holder.digest == image.digest


def test_a_tag_that_somebody_else_adds_meanwhile(stage: Stage) -> None:
    """Between the look and PutImage: it is theirs, or the same."""
    missing = ("describe_images", "ImageNotFoundException")
    found = {"imageDetails": [{"imageDigest": DIGEST}]}
    manifest = {"images": [{"imageManifest": "{}"}], "failures": []}
    other = {"imageDetails": [{"imageDigest": "sha256:" + "2" * 64}]}
    for code, now, refused in (
        ("ImageTagAlreadyExistsException", other, True),
        ("ImageTagAlreadyExistsException", found, False),
        ("ImageAlreadyExistsException", None, False),
    ):
        with stubbed(stage) as (repository, stubber):
            stubber.add_client_error(*missing)
            stubber.add_response("describe_images", found)
            if refused or now is None:
                uri = {"repositories": [{"repositoryUri": f"{HOST}/{NAME}"}]}
            stubber.add_response("batch_get_image", manifest)
            stubber.add_client_error("put_image", code)
            if now:
                stubber.add_response("describe_images", now)
            if refused:
                stubber.add_response("describe_repositories", uri)
                with pytest.raises(RefusedError, match="is that of sha256:2222"):
                    repository.add_tag(DIGEST, TAG)
            else:
                assert not repository.add_tag(DIGEST, TAG)


@pytest.mark.usefixtures("ecr")
def test_no_tag_without_the_image(stage: Stage) -> None:
    with pytest.raises(
        RefusedError, check=shows(f"{DIGEST} is not in {HOST}/{NAME}\nhint: push it")
    ):
        tag_deployed(stage, DIGEST)


@pytest.mark.proof
def test_archived_images_are_asked_for_and_are_no_good(
    stage: Stage, ecr: EmulatedEcr, image: Image
) -> None:
    repository = StageRepository(stage)
    pushed(repository, image)
    for status, said in (
        ("ARCHIVED", f"aws ecr update-image-storage-class --region {REGION}"),
        ("ACTIVATING", "wait until it is ACTIVE"),
    ):
        ecr.status[image.digest] = status
        assert repository.status(image.digest) == status
        with pytest.raises(RefusedError, check=shows(said)):
            repository.require(image.digest)
    with stubbed(stage) as (repository, stubber):
        stubber.add_response(
            "describe_images",
            {"imageDetails": [{"imageDigest": DIGEST, "imageStatus": "ARCHIVED"}]},
            {"repositoryName": NAME, "imageIds": ANY, "filter": {"imageStatus": "ANY"}},
        )
        assert repository.status(DIGEST) == "ARCHIVED"


def test_all_images_are_listed_with_when_they_came(stage: Stage) -> None:
    """What was restored from the archive counts from then on, as it does for lifecycle rules."""
    first, second = "sha256:" + "1" * 64, "sha256:" + "2" * 64
    later = PUSHED.replace(year=2027)
    restored = {"imageDigest": first, "imagePushedAt": PUSHED, "lastActivatedAt": later}
    pushed_only = {"imageDigest": second, "imagePushedAt": PUSHED, "imageTags": [TAG]}
    with stubbed(stage) as (repository, stubber):
        stubber.add_response("describe_images", {"imageDetails": [restored], "nextToken": "more"})
        stubber.add_response("describe_images", {"imageDetails": [pushed_only]})
        assert repository.stored() == (
            StoredImage(first, "ACTIVE", frozenset(), later),
            StoredImage(second, "ACTIVE", frozenset({TAG}), PUSHED),
        )


def test_the_lifecycle_policy(stage: Stage, ecr: EmulatedEcr) -> None:
    repository = StageRepository(stage)
    assert repository.lifecycle_policy() is None
    text = json.dumps({"rules": []}).ljust(100)  # the least that ECR takes
    ecr.client.put_lifecycle_policy(repositoryName=NAME, lifecyclePolicyText=text)
    assert repository.lifecycle_policy() == text


@mock_aws
def test_without_a_repository_people_are_told_how_to_make_one(stage: Stage) -> None:
    repository = StageRepository(stage)
    command = "npx cdk deploy -c stage=dev hima-five-bomber-dev-registry"
    for ask in (
        lambda: repository.uri,
        lambda: repository.image(DIGEST),
        lambda: repository.add_tag(DIGEST, TAG),
        repository.lifecycle_policy,
    ):
        with pytest.raises(RefusedError, check=shows(command)):
            ask()


def test_who_may_not_is_told_so(stage: Stage) -> None:
    with stubbed(stage) as (repository, stubber):
        stubber.add_client_error("describe_images", "AccessDeniedException", "a secret")
        with pytest.raises(FailedError, match="may not do DescribeImages") as denied:
            repository.image(DIGEST)
    assert "secret" not in str(denied.value)


@pytest.mark.parametrize(
    "answer",
    [
        {"authorizationToken": "not base64", "proxyEndpoint": "https://registry.example"},
        {"authorizationToken": "QVdT", "proxyEndpoint": "https://registry.example"},
        {"authorizationToken": "QVdTOmE=", "proxyEndpoint": "https://registry.example:99999"},
    ],
)
def test_a_password_that_is_none(stage: Stage, answer: dict[str, Any]) -> None:
    with stubbed(stage) as (repository, stubber):
        uri = {"repositories": [{"repositoryUri": f"{HOST}/{NAME}"}]}
        stubber.add_response("describe_repositories", uri)
        stubber.add_response("get_authorization_token", {"authorizationData": [answer]})
        with (
            pytest.raises(FailedError, match="no password for a registry"),
            repository.opened(),
        ):
            pass


def test_the_password_goes_to_ecr_itself_and_is_not_shown(stage: Stage) -> None:
    """moto names the real ECR; another account's registry takes the password too."""
    with mock_aws():
        client: Any = aws_client("ecr", REGION)
        client.create_repository(repositoryName=NAME)
        with StageRepository(stage).opened() as registry:
            access = registry.access
        other = RegistryReference(HOST.replace("123456789012", "210987654321"), NAME)
        theirs = ecr_access(client, other, "pull")
    assert str(access.registry) == f"https://{HOST}"
    assert str(theirs.registry) == f"https://{other.host}"
    assert access.actions == "pull,push"
    assert "auth-token" not in json.dumps(str(access))
