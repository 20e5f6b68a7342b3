"""ECR as moto has it, with the images of a real registry: it has all bytes, and pushes go there."""

import base64
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import pytest
import urllib3
from moto import mock_aws
from moto.core.responses import ActionResult
from moto.ecr.exceptions import ImageNotFoundException
from moto.ecr.responses import ECRResponse

from imagecheck.image.manifest import MANIFEST_TYPES, digest_of

REGION = "ap-northeast-1"
ACCOUNT = "123456789012"
_PAGE = 100
PUSHED = datetime(2026, 1, 1, tzinfo=UTC)
_LATER = timedelta(minutes=1)
HOST = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"


def use_credentials_of_nobody(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let boto3 find these, and none of the machine's; nor any that `docker login` has stored."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("DOCKER_CONFIG", str(folder / "docker"))


class EmulatedEcr:
    """The repositories of an account; ``status`` is what ECR says of a digest, if not ACTIVE.

    ``later`` has the tags of images that were pushed after those of the registry: ECR lists them,
    and has nothing else of them.
    """

    def __init__(self, registry: str) -> None:
        self.registry = registry
        self.status: dict[str, str] = {}
        self.later: list[list[str]] = []
        self.client: Any = None
        """boto3's, to ask and to change what is there."""

    def tags(self, name: str) -> list[str]:
        answer = self._ask("GET", name, "tags/list")
        return list(json.loads(answer.data).get("tags") or []) if answer.status == 200 else []

    def manifest(self, name: str, which: str) -> tuple[str, bytes] | None:
        headers = {"Accept": ", ".join(MANIFEST_TYPES)}
        answer = self._ask("GET", name, f"manifests/{which}", headers=headers)
        return (answer.headers["Content-Type"], answer.data) if answer.status == 200 else None

    def digest(self, name: str, which: str) -> str | None:
        found = self.manifest(name, which)
        return digest_of(found[1]) if found else None

    def put(self, name: str, which: str, media_type: str, content: str) -> None:
        answer = self._ask(
            "PUT",
            name,
            f"manifests/{which}",
            body=content.encode(),
            headers={"Content-Type": media_type},
        )
        assert answer.status == 201, answer.data

    def _ask(self, method: str, name: str, what: str, **more: Any) -> urllib3.BaseHTTPResponse:
        return urllib3.request(method, f"http://{self.registry}/v2/{name}/{what}", **more)


@contextmanager
def emulated_ecr(registry: str, names: Sequence[str]) -> Iterator[EmulatedEcr]:
    """Run an account that has these repositories, all with immutable tags."""
    ecr = EmulatedEcr(registry)
    with mock_aws(), _patched(ecr):
        ecr.client = boto3.Session().client("ecr", region_name=REGION)
        for name in names:
            ecr.client.create_repository(repositoryName=name, imageTagMutability="IMMUTABLE")
        yield ecr


@contextmanager
def _patched(ecr: EmulatedEcr) -> Iterator[None]:
    def name_of(response: ECRResponse) -> str:
        name = str(response._get_param("repositoryName"))
        response.ecr_backend._get_repository(name)  # raises when there is none
        return name

    def wanted(response: ECRResponse) -> list[str]:
        return [next(iter(one.values())) for one in response._get_param("imageIds")]

    def listed(name: str, start: int) -> ActionResult:
        """Answer in pages of a hundred, as ECR does."""
        tags: dict[str, list[str]] = {}
        for tag in ecr.tags(name):
            tags.setdefault(str(ecr.digest(name, tag)), []).append(tag)
        tags |= {f"sha256:{number:064}": later for number, later in enumerate(ecr.later)}
        details = [
            {"imageDigest": digest, "imageTags": its, "imagePushedAt": PUSHED + n * _LATER}
            for n, (digest, its) in enumerate(tags.items())
        ]
        end = start + _PAGE
        more = {"nextToken": str(end)} if end < len(details) else {}
        return ActionResult({"imageDetails": details[start:end], **more})

    def describe(response: ECRResponse) -> ActionResult:
        name, details = name_of(response), []
        if not response._get_param("imageIds"):
            return listed(name, int(response._get_param("nextToken") or 0))
        for which in wanted(response):
            digest = ecr.digest(name, which)
            if digest is None:
                raise ImageNotFoundException(which, name, ACCOUNT)
            tags = [tag for tag in ecr.tags(name) if ecr.digest(name, tag) == digest]
            status = {"imageStatus": ecr.status.get(digest, "ACTIVE")}
            details.append(
                {
                    "imageDigest": digest,
                    "imagePushedAt": PUSHED,
                    **status,
                    **({"imageTags": tags} if tags else {}),
                }
            )
        return ActionResult({"imageDetails": details})

    def get(response: ECRResponse) -> ActionResult:
        name, images, failures = name_of(response), [], []
        for which in wanted(response):
            if found := ecr.manifest(name, which):
                text = {"imageManifestMediaType": found[0], "imageManifest": found[1].decode()}
                images.append({"imageId": {"imageDigest": digest_of(found[1])}, **text})
            else:
                failures.append(
                    {"failureCode": "ImageNotFound", "failureReason": "", "imageId": {}}
                )
        return ActionResult({"images": images, "failures": failures})

    def put(response: ECRResponse) -> ActionResult:
        get_param = response._get_param
        content = get_param("imageManifest")
        tag, media_type = get_param("imageTag"), get_param("imageManifestMediaType")
        ecr.put(name_of(response), tag, media_type, content)
        return ActionResult({"image": {"imageId": {"imageTag": tag}}})

    def token(_: ECRResponse) -> ActionResult:
        given = {
            "authorizationToken": base64.b64encode(b"AWS:a secret").decode(),
            "proxyEndpoint": f"http://{ecr.registry}",
            "expiresAt": datetime(2100, 1, 1, tzinfo=UTC),
        }
        return ActionResult({"authorizationData": [given]})

    def download_url(response: ECRResponse) -> ActionResult:
        digest = response._get_param("layerDigest")
        url = f"http://{ecr.registry}/v2/{name_of(response)}/blobs/{digest}"
        return ActionResult({"downloadUrl": url, "layerDigest": digest})

    with (
        patch.object(ECRResponse, "describe_images", describe),
        patch.object(ECRResponse, "batch_get_image", get),
        patch.object(ECRResponse, "put_image", put),
        patch.object(ECRResponse, "get_authorization_token", token),
        patch.object(ECRResponse, "get_download_url_for_layer", download_url),
    ):
        yield
