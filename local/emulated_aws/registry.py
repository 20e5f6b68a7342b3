"""The emulated ECR is stricter: digests, images of functions, and repositories with images."""

import hashlib
import json
from typing import Any

from moto import settings
from moto.awslambda.exceptions import InvalidParameterValueException
from moto.ecr.models import Image, Repository, ecr_backends

from local.emulated_aws.patching import Patch

# Lambda reads neither an index nor a layer with another compression.
# https://docs.aws.amazon.com/lambda/latest/dg/images-create.html
_OCI = "application/vnd.oci.image."
_DOCKER = "application/vnd.docker."
_MANIFEST_TYPES = (f"{_OCI}manifest.v1+json", f"{_DOCKER}distribution.manifest.v2+json")
_CONFIG_TYPES = (f"{_OCI}config.v1+json", f"{_DOCKER}container.image.v1+json")
_LAYER_TYPES = (
    f"{_OCI}layer.v1.tar",
    f"{_OCI}layer.v1.tar+gzip",
    f"{_DOCKER}image.rootfs.diff.tar",
    f"{_DOCKER}image.rootfs.diff.tar.gzip",
)


def patches() -> tuple[Patch, ...]:
    """Return patches: digests as in ECR (moto hashes those of layers), Lambda's check, deletion."""
    return (
        # moto asks a model that has no method of this name with the definition of the resource.
        Patch(Repository, "delete", None),
        Patch(Repository, "delete_from_cloudformation_json", staticmethod(_delete_repository)),
        Patch(Image, "_create_digest", _digest_of_manifest),
        Patch(settings, "lambda_stub_ecr", lambda: False),
    )


def source_image(uri: str, account_id: str, region: str) -> Image:
    """Return the image for a function that is created or updated.

    Raises InvalidParameterValueException with Lambda's message when the image is missing or has
    media types that Lambda does not take.
    """
    named, at, digest = uri.partition("@")
    repository, _, tag = named.partition("/")[2].partition(":")
    wanted = {"imageDigest": digest} if at else {"imageTag": tag or "latest"}
    backend = ecr_backends[account_id][region]
    found = (
        backend.batch_get_image(repository_name=repository, image_ids=[wanted])["images"]
        if repository in backend.repositories
        else []
    )
    if not found:
        raise InvalidParameterValueException(
            f"Source image {uri} does not exist. Provide a valid source image."
        )
    image: Image = found[0]
    if not _is_supported(json.loads(image.image_manifest), image.image_manifest_media_type):
        raise InvalidParameterValueException(
            "The image manifest, config or layer media type for the source image"
            f" {uri} is not supported."
        )
    return image


def _delete_repository(name: str, definition: dict[str, Any], account_id: str, region: str) -> None:
    """Delete a repository of a stack, with its images where the template says so.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ecr-repository.html
    """
    backend = ecr_backends[account_id][region]
    images = [{"imageDigest": each.image_digest} for each in backend.repositories[name].images]
    if images and definition["Properties"].get("EmptyOnDelete") in (True, "true"):
        backend.batch_delete_image(name, image_ids=images)
    backend.delete_repository(name)


def _is_supported(manifest: dict[str, object], media_type: str | None) -> bool:
    match manifest:
        case {"config": {"mediaType": str(config)}, "layers": list(layers)}:
            return (
                manifest.get("mediaType", media_type) in _MANIFEST_TYPES
                and config in _CONFIG_TYPES
                and all(layer["mediaType"] in _LAYER_TYPES for layer in layers)
            )
    return False


def _digest_of_manifest(image: Image) -> None:
    image._image_digest = (  # noqa: SLF001  (the field that moto's method sets)
        "sha256:" + hashlib.sha256(image.image_manifest.encode()).hexdigest()
    )
