"""An image in private ECR, read with AWS credentials: no `docker login` is needed.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/Welcome.html
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, BinaryIO

from urllib3 import BaseHTTPResponse

from imagecheck.budget import Budget
from imagecheck.image.aws import AwsError, aws_client, no_answer, refusal
from imagecheck.image.download import download
from imagecheck.image.errors import ImageReadError, NotInRegistryError
from imagecheck.image.http import HttpClient
from imagecheck.image.manifest import MANIFEST_TYPES, Descriptor
from imagecheck.image.reference import Reference, RegistryReference
from imagecheck.image.source import Document

_GOOD = (200, 206)
_NOT_THERE = {
    "RepositoryNotFoundException": "there is no such repository",
    "ImageNotFoundException": "it has no such image",
    "LayersNotFoundException": "it has no such blob",
    # https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetDownloadUrlForLayer.html
    "LayerInaccessibleException": "it has no such blob that is part of an image",
}
_NO_SUCH_IMAGE = "ImageNotFound"


class EcrSource:
    """The image of a private ECR repository, through the API of its Region.

    ``reference`` has to be a private ECR's. The AWS credentials are those that boto3 finds.

    Raises:
        ImageReadError: boto3 is not there, or cannot be set up: an unknown profile, for one.

    """

    compressed_on_push = False

    def __init__(
        self,
        reference: RegistryReference,
        *,
        sleep: Callable[[float], None] = time.sleep,
        budget: Budget | None = None,
    ) -> None:
        place = reference.private_ecr
        if place is None:
            raise ValueError(f"{reference} is not in a private ECR")
        self.reference: Reference = reference
        self._name = f"{reference.host}/{reference.repository}"
        self._where = {"registryId": place.account, "repositoryName": reference.repository}
        self._wanted = (
            {"imageDigest": reference.digest} if reference.digest else {"imageTag": reference.tag}
        )
        self._root: Document | None = None
        self._http = HttpClient(sleep, budget)
        try:
            self._ecr = aws_client("ecr", place.region)
        except AwsError as error:
            raise AwsError(f"{self._name}: {error}", hint=error.hint) from error

    def root(self) -> Document:
        """See ImageSource. ECR is asked once."""
        if self._root is None:
            self._root = self._manifest(self._wanted)
        return self._root

    def manifest(self, descriptor: Descriptor) -> Document:
        """See ImageSource."""
        return self._manifest({"imageDigest": descriptor.digest})

    def blob(self, descriptor: Descriptor) -> AbstractContextManager[BinaryIO]:
        """See ImageSource."""

        def open_(headers: Mapping[str, str]) -> BaseHTTPResponse:
            answer = self._call(self._ecr.get_download_url_for_layer, layerDigest=descriptor.digest)
            # The URL alone opens the blob, so no message may contain it.
            response = self._http.fetch("GET", answer["downloadUrl"], headers)
            if response.status not in _GOOD:
                response.close()
                raise ImageReadError(
                    f"{self._name}: the storage behind it answers HTTP {response.status}"
                    f" when asked for blob {descriptor.digest}"
                )
            return response

        return download(open_, descriptor.size, self._name, self._http.budget)

    def has_blob(self, descriptor: Descriptor) -> bool:
        """See ImageSource. A blob that is archived is not there."""
        answer = self._call(
            self._ecr.batch_check_layer_availability, layerDigests=[descriptor.digest]
        )
        return any(
            layer["layerAvailability"] == "AVAILABLE"
            and layer.get("layerSize", descriptor.size) == descriptor.size
            for layer in answer["layers"]
        )

    def repository_policy(self) -> str | None:
        """Return the JSON text of the repository's policy; None when it has none.

        https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetRepositoryPolicy.html

        Raises the errors of ImageSource.
        """
        with _aws_errors(self._name):
            try:
                answer = self._ecr.get_repository_policy(**self._where)
            except self._ecr.exceptions.RepositoryPolicyNotFoundException:
                return None
        return str(answer["policyText"])

    def image_status(self, digest: str) -> str | None:
        """Return ``ACTIVE``, ``ARCHIVED`` or ``ACTIVATING``; None when the service does not say.

        https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageDetail.html

        Raises the errors of ImageSource.
        """
        answer = self._call(
            self._ecr.describe_images,
            imageIds=[{"imageDigest": digest}],
            # Without it, archived images are left out.
            filter={"imageStatus": "ANY"},
        )
        return next((image.get("imageStatus") for image in answer["imageDetails"]), None)

    def stamp(self, descriptor: Descriptor) -> None:
        """See ImageSource: the registry answers for its digests."""

    def close(self) -> None:
        """See ImageSource."""
        self._ecr.close()
        self._http.close()

    def _manifest(self, image: Mapping[str, str | None]) -> Document:
        answer = self._call(
            self._ecr.batch_get_image,
            imageIds=[image],
            # Indexes too: the rules judge whatever is stored.
            acceptedMediaTypes=list(MANIFEST_TYPES),
        )
        for found in answer["images"]:
            return Document(
                found.get("imageManifestMediaType", ""), found["imageManifest"].encode()
            )
        name = next(iter(image.values()))
        code = next((failure["failureCode"] for failure in answer["failures"]), "no reason given")
        if code == _NO_SUCH_IMAGE:
            raise NotInRegistryError(f"{self._name} has no image {name}")
        raise ImageReadError(f"{self._name}: ECR does not hand out the image {name}: {code}")

    def _call(self, method: Callable[..., Any], **parameters: Any) -> Any:
        with _aws_errors(self._name):
            return method(**self._where, **parameters)


@contextmanager
def _aws_errors(name: str) -> Iterator[None]:
    """Tell what is not there from what could not be asked."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        # Botocore's own words may hold a secret, so no cause is kept.
        if code in _NOT_THERE:
            raise NotInRegistryError(f"{name}: {_NOT_THERE[code]}") from None
        raise refusal(name, code, f"ecr:{error.operation_name}") from None
    except BotoCoreError as error:
        raise no_answer(name, error) from None
