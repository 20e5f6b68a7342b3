"""The JSON documents of an image: index, manifest and configuration.

https://github.com/opencontainers/image-spec/tree/v1.1.1 and, for Docker's own media types,
https://github.com/distribution/distribution/blob/main/docs/content/spec/manifest-v2-2.md
"""

import hashlib
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from imagecheck.image.digest import WHOLE_DIGEST
from imagecheck.image.errors import DamagedImageError, WrongBytesError

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
MANIFEST_TYPES = (OCI_MANIFEST, DOCKER_MANIFEST, OCI_INDEX, DOCKER_LIST)
CONFIG_TYPES = (
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
)
GZIP_LAYER_TYPES = (
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
)
_ATTESTATION = "vnd.docker.reference.type"

MAX_DOCUMENT_BYTES = 4 * 1024 * 1024
"""The most that a manifest or a configuration may have.

https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests asks
registries to take manifests of at least this size; ours are a thousand times smaller.
"""


class Platform(msgspec.Struct, frozen=True, kw_only=True):
    """What an index says that one of its manifests is for."""

    architecture: str = ""
    os: str = ""
    variant: str = ""


class Descriptor(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How a document refers to another, or to a layer: by media type, digest and size in bytes."""

    media_type: str = ""
    # Only this algorithm is known to ECR, and a digest becomes the name of a file.
    digest: Annotated[str, Meta(pattern=WHOLE_DIGEST)]
    size: Annotated[int, Meta(ge=0)]
    platform: Platform | None = None
    annotations: dict[str, str] | None = None
    urls: list[str] | None = None
    artifact_type: str = ""

    @property
    def architecture(self) -> str:
        """The CPU that an index says it is for; empty where it does not say."""
        return self.platform.architecture if self.platform else ""

    @property
    def intended_for(self) -> str:
        """System and CPU that an index says it is for, to be printed."""
        platform = self.platform
        return f"{platform.os}/{platform.architecture}" if platform else "an image of no platform"

    @property
    def is_attestation(self) -> bool:
        """Whether it is of what BuildKit tells of an image, beside that image.

        https://github.com/moby/buildkit/blob/v0.12.0/docs/attestations/attestation-storage.md
        """
        return _ATTESTATION in (self.annotations or {})

    @property
    def is_layer_elsewhere(self) -> bool:
        """Whether it is of a layer that no registry need have."""
        kinds = ("foreign", "nondistributable")
        return bool(self.urls) or any(kind in self.media_type for kind in kinds)


class Manifest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A manifest (``config`` and ``layers``) or an index (``manifests``)."""

    schema_version: int = 2
    media_type: str = ""
    config: Descriptor | None = None
    layers: list[Descriptor] | None = None
    manifests: list[Descriptor] | None = None
    artifact_type: str = ""
    subject: Descriptor | None = None
    annotations: dict[str, str] | None = None

    @property
    def is_index(self) -> bool:
        """Whether it lists manifests in place of layers."""
        return self.manifests is not None or self.media_type in (OCI_INDEX, DOCKER_LIST)

    @property
    def is_artifact(self) -> bool:
        """Whether it is of something other than an image: a signature, an SBOM, a chart."""
        has_config = self.config is not None and self.config.media_type in CONFIG_TYPES
        return not has_config or bool(self.artifact_type or self.subject)


class RuntimeConfig(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """The ``config`` part of an image's configuration: the program and its surroundings."""

    entrypoint: list[str] | None = None
    cmd: list[str] | None = None
    working_dir: str | None = None
    env: list[str] | None = None
    labels: dict[str, str] | None = None
    user: str | None = None


class RootFs(msgspec.Struct, frozen=True, kw_only=True):
    """The digests of the uncompressed layers, lowest first."""

    diff_ids: list[str] | None = None


class HistoryStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the build; an empty one made no layer."""

    created_by: str = ""
    empty_layer: bool = False


class ImageConfig(msgspec.Struct, frozen=True, kw_only=True):
    """An image's configuration. What the specification requires but this lacks is empty."""

    architecture: str = ""
    os: str = ""
    variant: str = ""
    config: RuntimeConfig | None = None
    rootfs: RootFs = RootFs()
    history: list[HistoryStep] | None = None
    created: str | None = None
    """In RFC 3339; what is reproducible has some fixed time."""


def digest_of(content: bytes) -> str:
    """Return ``sha256:`` and 64 hexadecimal digits."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def verified(content: bytes, digest: str | None, size: int | None = None) -> bytes:
    """Return a document that is of this digest and size; None: of any.

    Raises:
        DamagedImageError: it is longer than ``MAX_DOCUMENT_BYTES``.
        WrongBytesError: it is another one.

    """
    if len(content) > MAX_DOCUMENT_BYTES:
        raise DamagedImageError(f"a document has more than {MAX_DOCUMENT_BYTES:,} bytes")
    found = digest_of(content)
    if digest not in (None, found):
        raise WrongBytesError(f"what is stored under {digest} has the digest {found}")
    if size not in (None, len(content)):
        raise WrongBytesError(f"{found} has {len(content):,} bytes, but is listed with {size:,}")
    return content


def parse_manifest(content: bytes) -> Manifest:
    """Read a manifest or an index. Raises DamagedImageError when it is neither."""
    manifest: Manifest = _decode(content, Manifest, "manifest")
    return manifest


def parse_config(content: bytes) -> ImageConfig:
    """Read an image's configuration. Raises DamagedImageError when it is none."""
    config: ImageConfig = _decode(content, ImageConfig, "configuration")
    return config


def _decode(content: bytes, type_: type[Any], name: str) -> Any:
    try:
        return msgspec.json.decode(content, type=type_)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DamagedImageError(f"the {name} cannot be read as one: {error}") from error
