"""Keeps the images of the emulated ECR in a real registry.

Without one, moto keeps manifests and drops the content of layers. Unlike in ECR, only PutImage
checks the immutability of tags, not a push to the registry itself; a tag cannot be removed from an
image that has others; and an image without a tag is listed only after a request for its digest,
since a registry cannot list such images.
"""

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from functools import partialmethod
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.ecr.exceptions import InvalidParameterException
from moto.ecr.models import ECRBackend, Image, Repository
from moto.ecr.responses import ECRResponse

from local.emulated_aws.patching import Patch
from local.emulated_aws.registry_client import RegistryClient, RegistryClientError

_TOKEN_HOURS = 12
_batch_get_image = ECRBackend.batch_get_image
_describe_images = ECRBackend.describe_images


class LayersNotFoundException(ServiceException):
    """ECR's error for a missing layer."""

    code = "LayersNotFoundException"


def patches(client: RegistryClient) -> tuple[Patch, ...]:
    """Return patches that map each repository of the account to that of its name in a registry."""

    def images(repository: Repository) -> list[Image]:
        return _images(repository, client)

    return (
        Patch(Repository, "images", property(images, lambda *_: None)),
        Patch(ECRBackend, "put_image", partialmethod(_put, client)),
        Patch(ECRBackend, "batch_get_image", partialmethod(_get, client)),
        Patch(ECRBackend, "describe_images", partialmethod(_describe, client)),
        Patch(ECRBackend, "batch_delete_image", partialmethod(_delete, client)),
        Patch(ECRBackend, "batch_check_layer_availability", partialmethod(_check_layers, client)),
        Patch(ECRResponse, "get_authorization_token", partialmethod(_token, client)),
        Patch(ECRResponse, "get_download_url_for_layer", partialmethod(_download_url, client)),
    )


class _StoredImage(Image):
    """moto's image for one in the registry."""

    def get_image_size_in_bytes(self) -> int | None:
        """Return the sum of the layers, compressed; None for an index."""
        document = json.loads(self.image_manifest)
        if "layers" not in document:
            return None
        return sum(int(blob["size"]) for blob in (document["config"], *document["layers"]))


def _images(repository: Repository, client: RegistryClient) -> list[Image]:
    known: dict[str, Image] = vars(repository).setdefault("known", {})
    tags: dict[str, list[str]] = {}
    for tag in client.tags(repository.name):
        if digest := client.digest(repository.name, tag):
            tags.setdefault(digest, []).append(tag)
    for digest in {*known, *tags}:
        _refresh(repository, client, digest)
    for digest, image in known.items():
        image.image_tags = tags.get(digest, [])
        image.image_tag = image.image_tags[-1] if image.image_tags else None  # type: ignore[assignment]
    return list(known.values())


def _refresh(repository: Repository, client: RegistryClient, digest: str) -> None:
    """Add an image that the registry has, or drop one that it no longer has."""
    known: dict[str, Image] = vars(repository).setdefault("known", {})
    if digest in known:
        if client.digest(repository.name, digest) is None:
            del known[digest]
        return
    stored = client.manifest(repository.name, digest)
    if stored is not None:
        known[digest] = _StoredImage(
            repository.registry_id,
            None,  # type: ignore[arg-type]  # moto's own way to say that there is no tag
            stored.content,
            repository.name,
            stored.media_type,
            stored.digest,
        )


def _refresh_all(
    backend: ECRBackend, client: RegistryClient, name: str, image_ids: list[dict[str, str]] | None
) -> None:
    for image_id in image_ids or ():
        if "imageDigest" in image_id and name in backend.repositories:
            _refresh(backend.repositories[name], client, image_id["imageDigest"])


def _put(  # noqa: PLR0917  (moto's own order)
    backend: ECRBackend,
    client: RegistryClient,
    repository_name: str,
    image_manifest: str,
    image_tag: str | None,
    image_manifest_mediatype: str | None = None,
    digest: str | None = None,
) -> Image:
    repository = backend._get_repository(repository_name)  # noqa: SLF001
    if image_tag:
        backend._resolve_image_tag_mutability(repository, image_tag)  # noqa: SLF001
    image = Image(backend.account_id, "", image_manifest, repository_name, digest=digest)
    media_type = image_manifest_mediatype or json.loads(image_manifest).get("mediaType")
    if media_type is None:
        raise InvalidParameterException(
            "the manifest says no media type, and neither does PutImage"
        )
    reference = image_tag or image.image_digest
    try:
        client.put_manifest(repository_name, reference, media_type, image_manifest)
    except RegistryClientError as error:
        raise LayersNotFoundException(str(error)) from error
    _refresh(repository, client, image.image_digest)
    stored = next(i for i in repository.images if i.image_digest == image.image_digest)
    stored.image_tag = image_tag  # type: ignore[assignment]
    return stored


def _get(
    backend: ECRBackend,
    client: RegistryClient,
    repository_name: str,
    registry_id: str | None = None,
    image_ids: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    _refresh_all(backend, client, repository_name, image_ids)
    return _batch_get_image(backend, repository_name, registry_id, image_ids)


def _describe(
    backend: ECRBackend,
    client: RegistryClient,
    repository_name: str,
    registry_id: str | None = None,
    image_ids: list[dict[str, str]] | None = None,
) -> Any:
    _refresh_all(backend, client, repository_name, image_ids)
    return _describe_images(backend, repository_name, registry_id, image_ids)


def _delete(
    backend: ECRBackend,
    client: RegistryClient,
    repository_name: str,
    registry_id: str | None = None,
    image_ids: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    deleted = []
    answer = _get(backend, client, repository_name, registry_id, image_ids)
    for image in answer["images"]:
        digest = image.image_digest
        if len(image.image_tags) > 1 and {"imageDigest": digest} not in (image_ids or ()):
            raise InvalidParameterException(
                "the emulated ECR deletes a tag with its image only, and this one has others"
            )
        client.delete_manifest(repository_name, digest)
        deleted += [
            {"imageDigest": digest, **({"imageTag": tag} if tag else {})}
            for tag in image.image_tags or [None]
        ]
    return {"imageIds": deleted, "failures": answer["failures"]}


def _check_layers(
    backend: ECRBackend,
    client: RegistryClient,
    repository_name: str,
    layer_digests: list[str],
    registry_id: str | None = None,
) -> dict[str, Any]:
    backend._get_repository(repository_name, registry_id)  # noqa: SLF001
    sizes = {digest: client.blob_size(repository_name, digest) for digest in layer_digests}
    return {
        "layers": [
            {"layerDigest": digest, "layerAvailability": "AVAILABLE", "layerSize": size}
            for digest, size in sizes.items()
            if size is not None
        ],
        "failures": [
            {
                "layerDigest": digest,
                "failureCode": "MissingLayerDigest",
                "failureReason": f"Layer digest '{digest}' could not be found",
            }
            for digest, size in sizes.items()
            if size is None
        ],
    }


def _token(_: ECRResponse, client: RegistryClient) -> ActionResult:
    """Return any password: the registry checks none."""
    token = {
        "authorizationToken": b64encode(b"AWS:local").decode(),
        "expiresAt": datetime.now(UTC) + timedelta(hours=_TOKEN_HOURS),
        "proxyEndpoint": f"http://{client.host}",
    }
    return ActionResult({"authorizationData": [token]})


def _download_url(response: ECRResponse, client: RegistryClient) -> ActionResult:
    name, digest = response._get_param("repositoryName"), response._get_param("layerDigest")  # noqa: SLF001
    response.ecr_backend._get_repository(name, response._get_param("registryId"))  # noqa: SLF001
    if client.blob_size(name, digest) is None:
        raise LayersNotFoundException(f"The layer {digest} does not exist in repository {name}")
    return ActionResult({"downloadUrl": client.blob_url(name, digest), "layerDigest": digest})
