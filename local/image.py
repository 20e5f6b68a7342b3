"""Builds an image of ``lambda_src`` without Docker, and pushes it to the emulated ECR.

It lacks the layers of the base image, which cannot be pulled here. Otherwise it has a layer, a
config and a manifest like any image, so that the deployed digest was really computed and pushed.
https://github.com/opencontainers/image-spec
"""

import gzip
import hashlib
import io
import json
import re
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagecheck.dockerfile import base_of
from imagecheck.errors import FailedError

TASK_ROOT = "var/task"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"


class BuildImageError(FailedError):
    """The image cannot be built, or the registry has it under another digest."""


@dataclass(frozen=True)
class ImageBlob:
    """Content with its media type and digest."""

    media_type: str
    content: bytes

    @property
    def digest(self) -> str:
        """``sha256:`` and 64 hex digits."""
        return "sha256:" + hashlib.sha256(self.content).hexdigest()

    def descriptor(self) -> dict[str, Any]:
        """Return the descriptor of this blob for a manifest."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.content)}


@dataclass(frozen=True)
class LocalImage:
    """An image for one platform, with one layer. The digest of the manifest is the image's."""

    manifest: ImageBlob
    config: ImageBlob
    layer: ImageBlob
    handler: str
    """From its CMD, as ``module.function``."""
    base_digest: str
    """The base image in its Dockerfile."""


def build_image(source: Path, architecture: str) -> LocalImage:
    """Build an image of a function's folder; the same files give the same digest.

    ``architecture`` is Lambda's name of it. Raises BuildImageError when the Dockerfile has no CMD
    or no base image in the form that ours has.
    """
    dockerfile = (source / "Dockerfile").read_text()
    command = re.search(r'^CMD \["([^"]+)"\]$', dockerfile, re.MULTILINE)
    base = base_of(source / "Dockerfile")
    if not command or not base or not base.digest:
        wanted = 'CMD ["module.function"] and a base image by digest'
        raise BuildImageError(f"{source / 'Dockerfile'} needs {wanted}")
    tar = _pack(source)
    layer = ImageBlob(LAYER_TYPE, gzip.compress(tar, mtime=0))
    config = {
        "architecture": {"x86_64": "amd64"}.get(architecture, architecture),
        "os": "linux",
        "config": {"Cmd": [command[1]], "WorkingDir": f"/{TASK_ROOT}"},
        "rootfs": {"type": "layers", "diff_ids": [ImageBlob(LAYER_TYPE, tar).digest]},
    }
    config_blob = ImageBlob(CONFIG_TYPE, _json(config))
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": config_blob.descriptor(),
        "layers": [layer.descriptor()],
    }
    return LocalImage(
        manifest=ImageBlob(MANIFEST_TYPE, _json(manifest)),
        config=config_blob,
        layer=layer,
        handler=command[1],
        base_digest=base.digest,
    )


def write_layout(image: LocalImage, folder: Path) -> None:
    """Write the blobs as an OCI image layout: moto's ECR drops the content of layers."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    for blob in (image.layer, image.config, image.manifest):
        (blobs / blob.digest.removeprefix("sha256:")).write_bytes(blob.content)
    index = {"schemaVersion": 2, "manifests": [image.manifest.descriptor()]}
    (folder / "index.json").write_bytes(_json(index))
    (folder / "oci-layout").write_bytes(_json({"imageLayoutVersion": "1.0.0"}))


def push_image(ecr: Any, repository: str, image: LocalImage) -> str:
    """Upload blobs and manifest with a boto3 ECR client; return the digest from ECR's response.

    Raises BuildImageError when that differs from the digest of the manifest.
    """
    for blob in (image.layer, image.config):
        upload = ecr.initiate_layer_upload(repositoryName=repository)["uploadId"]
        ecr.upload_layer_part(
            repositoryName=repository,
            uploadId=upload,
            partFirstByte=0,
            partLastByte=len(blob.content) - 1,
            layerPartBlob=blob.content,
        )
        ecr.complete_layer_upload(
            repositoryName=repository, uploadId=upload, layerDigests=[blob.digest]
        )
    answer = ecr.put_image(
        repositoryName=repository,
        imageManifest=image.manifest.content.decode(),
        imageManifestMediaType=MANIFEST_TYPE,
        imageTag=image.manifest.digest.removeprefix("sha256:")[:12],
    )
    digest: str = answer["image"]["imageId"]["imageDigest"]
    if digest != image.manifest.digest:
        raise BuildImageError(
            f"the registry returned {digest} for the manifest {image.manifest.digest}"
        )
    return digest


def _pack(source: Path) -> bytes:
    """Pack the folder without owners and times, so that the bytes depend on the files alone."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(source.rglob("*")):
            name = path.relative_to(source)
            if "__pycache__" in name.parts or name.parts[0] == "Dockerfile":
                continue
            entry = tarfile.TarInfo(f"{TASK_ROOT}/{name.as_posix()}")
            if path.is_dir():
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(entry)
            else:
                entry.mode, entry.size = 0o644, path.stat().st_size
                with path.open("rb") as content:
                    tar.addfile(entry, content)
    return buffer.getvalue()


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
