"""The ECR repository that a stage's images come from."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, NamedTuple, cast

from config.project import Stage
from imagecheck.errors import FailedError
from imagecheck.image.aws import aws_errors
from imagecheck.image.manifest import MANIFEST_TYPES
from imagecheck.image.reference import RegistryReference
from imagecheck.image.registry import RegistrySource
from imagecheck.image.registry_session import RegistrySession
from release.errors import RefusedError
from release.registry.ecr_access import ecr_access

_ACTIVE = "ACTIVE"
_NOT_SAID = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class StoredImage:
    """An image of a repository, as ECR describes it."""

    digest: str
    status: str
    """``ACTIVE``, ``ARCHIVED`` or ``ACTIVATING``; only the first can be fetched."""
    tags: frozenset[str]
    pushed_at: datetime = _NOT_SAID
    """When it was pushed, or restored from the archive if that was later."""


class FetchProblem(NamedTuple):
    """Why Lambda cannot fetch an image, and what to do."""

    message: str
    hint: str


class StageRepository:
    """The repository of a stage, asked with the AWS credentials that boto3 finds.

    Every method raises RefusedError when there is no such repository, and FailedError when AWS
    cannot be asked.
    """

    def __init__(self, stage: Stage) -> None:
        self.name = stage.names.repository
        self._stage = stage
        self._ecr = stage.client("ecr")

    @cached_property
    def uri(self) -> str:
        """HOST/NAME, as Lambda wants it."""
        with self._asked():
            (found,) = self._ecr.describe_repositories(repositoryNames=[self.name])["repositories"]
        return str(found["repositoryUri"])

    def reference(self, digest: str | None = None, tag: str | None = None) -> RegistryReference:
        """Return the name of an image here."""
        host, _, repository = self.uri.partition("/")
        return RegistryReference(host, repository, tag, digest)

    def image(self, digest: str) -> StoredImage | None:
        """Return what ECR says of an image; None: it is not there."""
        return self._image({"imageDigest": digest})

    def tagged(self, tag: str) -> StoredImage | None:
        """Return the image that has the tag; None: none has."""
        return self._image({"imageTag": tag})

    def status(self, digest: str) -> str | None:
        """Return ``ACTIVE``, ``ARCHIVED`` or ``ACTIVATING``; None: it is not there."""
        image = self.image(digest)
        return image.status if image else None

    def tags(self, digest: str) -> frozenset[str]:
        """Return the tags of an image; none where it is not there."""
        image = self.image(digest)
        return image.tags if image else frozenset()

    def require(self, digest: str) -> StoredImage:
        """Return the image. Raises RefusedError when it is not there for Lambda to fetch."""
        image = self.image(digest)
        if problem := self.problem(digest, image):
            raise RefusedError(problem.message, hint=problem.hint)
        return cast("StoredImage", image)

    def problem(self, digest: str, image: StoredImage | None) -> FetchProblem | None:
        """Return why Lambda cannot fetch an image, and what to do; None where it can.

        Rules A1 and A4: https://docs.aws.amazon.com/AmazonECR/latest/userguide/archive-image.html
        """
        if image is None:
            return FetchProblem(
                f"{digest} is not in {self.uri}",
                f"push it, if build/record.json names it: python -m release push {self._stage.name}"
                f"\nor choose another: python -m release rollback {self._stage.name} --list",
            )
        if image.status == _ACTIVE:
            return None
        if image.status == "ARCHIVED":
            return FetchProblem(
                f"{digest} is archived in {self.uri}, where Lambda cannot fetch it",
                f"restore it: aws ecr update-image-storage-class"
                f" --region {self._stage.region} --repository-name {self.name}"
                f" --image-id imageDigest={digest} --target-storage-class STANDARD",
            )
        return FetchProblem(
            f"{digest} is {image.status} in {self.uri}", f"wait until it is {_ACTIVE}"
        )

    def stored(self) -> tuple[StoredImage, ...]:
        """Return all images that are not archived."""
        with self._asked():
            pages = self._ecr.get_paginator("describe_images").paginate(repositoryName=self.name)
            return tuple(_stored(found) for page in pages for found in page["imageDetails"])

    def add_tag(self, digest: str, tag: str) -> bool:
        """Give an image one more tag. False: it has it already.

        Raises:
            RefusedError: it is not there, or the tag is that of another image.

        """
        holder = self.tagged(tag)
        if holder:
            self._require_same(digest, tag, holder)
            return False
        self.require(digest)
        with self._asked():
            answer = self._ecr.batch_get_image(
                repositoryName=self.name,
                imageIds=[{"imageDigest": digest}],
                acceptedMediaTypes=list(MANIFEST_TYPES),
            )
            if not answer["images"]:
                raise FailedError(f"{self.uri} does not hand out the manifest of {digest}")
            (found, *_) = answer["images"]
            media_type = found.get("imageManifestMediaType")
            try:
                self._ecr.put_image(
                    repositoryName=self.name,
                    imageManifest=found["imageManifest"],
                    imageTag=tag,
                    imageDigest=digest,
                    **({"imageManifestMediaType": media_type} if media_type else {}),
                )
            except self._ecr.exceptions.ImageAlreadyExistsException:
                return False
            except self._ecr.exceptions.ImageTagAlreadyExistsException:
                # Somebody else was faster.
                self._require_same(digest, tag, self.tagged(tag))
                return False
        return True

    def lifecycle_policy(self) -> str | None:
        """Return the JSON text of the lifecycle policy; None: there is none."""
        with self._asked():
            try:
                answer = self._ecr.get_lifecycle_policy(repositoryName=self.name)
            except self._ecr.exceptions.LifecyclePolicyNotFoundException:
                return None
        return str(answer["lifecyclePolicyText"])

    @contextmanager
    def opened(self) -> Iterator[RegistrySession]:
        """Give the repository as a registry, to push to."""
        session = RegistrySession(ecr_access(self._ecr, self.reference(), "pull,push"))
        try:
            yield session
        finally:
            session.close()

    def source(self, digest: str) -> RegistrySource:
        """Return an image here, to be read. It is to be closed."""
        reference = self.reference(digest)
        return RegistrySource(reference, ecr_access(self._ecr, reference, "pull"))

    def _image(self, which: dict[str, str]) -> StoredImage | None:
        with self._asked():
            try:
                answer = self._ecr.describe_images(
                    repositoryName=self.name,
                    imageIds=[which],
                    # Without it, archived images are left out.
                    filter={"imageStatus": "ANY"},
                )
            except self._ecr.exceptions.ImageNotFoundException:
                return None
        return next(map(_stored, answer["imageDetails"]), None)

    def _require_same(self, digest: str, tag: str, holder: StoredImage | None) -> None:
        if holder and holder.digest != digest:
            raise RefusedError(
                f"the tag {tag} in {self.uri} is that of {holder.digest}, and tags do not move:"
                f" {digest} cannot have it"
            )

    @contextmanager
    def _asked(self) -> Iterator[None]:
        with aws_errors(f"the repository {self.name}"):
            try:
                yield
            except self._ecr.exceptions.RepositoryNotFoundException as error:
                names = self._stage.names
                raise RefusedError(
                    f"there is no repository {self.name} in {self._stage.place}",
                    hint=f"npx cdk deploy -c stage={names.stage} {names.registry_stack}\n"
                    f"{self._stage.elsewhere}",
                ) from error


def _stored(found: dict[str, Any]) -> StoredImage:
    return StoredImage(
        found["imageDigest"],
        found.get("imageStatus", _ACTIVE),
        frozenset(found.get("imageTags", ())),
        max(found.get("imagePushedAt", _NOT_SAID), found.get("lastActivatedAt", _NOT_SAID)),
    )


def tag_deployed(stage: Stage, digest: str) -> str:
    """Give an image that is deployed its tag, and return that; it may have it already.

    No lifecycle rule of ours fits this tag, and ``guard`` refuses those that do.

    Raises as ``StageRepository.add_tag`` does.
    """
    tag = stage.names.deployed_tag(digest)
    StageRepository(stage).add_tag(digest, tag)
    return tag
