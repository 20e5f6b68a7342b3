"""A true container image of ``lambda_src``, made without Docker, in the emulated ECR.

It lacks the base image's layers, which cannot be pulled here; it has a layer, a config and a
manifest like any other, so that the deployed digest is one that was computed and pushed.
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

TASK_ROOT = "var/task"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"


class ImageError(Exception):
    """The image cannot be made, or is not in the registry as it was made."""


@dataclass(frozen=True)
class Blob:
    """Bytes and their media type; the digest names them."""

    media_type: str
    content: bytes

    @property
    def digest(self) -> str:
        """``sha256:`` and 64 hex digits."""
        return "sha256:" + hashlib.sha256(self.content).hexdigest()

    def descriptor(self) -> dict[str, Any]:
        """How a manifest refers to this blob."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.content)}


@dataclass(frozen=True)
class Image:
    """One platform's image with one layer. The manifest's digest is the image's digest."""

    manifest: Blob
    config: Blob
    layer: Blob
    handler: str
    """What its CMD names, as ``module.function``."""
    base_digest: str
    """What its Dockerfile builds on."""


def build_image(source: Path, architecture: str) -> Image:
    """Make an image of a function's folder; the same files give the same digest.

    ``architecture`` is as Lambda writes it. Raises ImageError when the Dockerfile does not say what
    to run, or on what, in the way ours does.
    """
    dockerfile = (source / "Dockerfile").read_text()
    command = re.search(r'^CMD \["([^"]+)"\]$', dockerfile, re.MULTILINE)
    base = re.search(r"^(?:FROM|ARG BASE=).*@(sha256:[0-9a-f]{64})$", dockerfile, re.MULTILINE)
    if not command or not base:
        wanted = 'CMD ["module.function"] and a base image by digest'
        raise ImageError(f"{source / 'Dockerfile'} needs {wanted}")
    tar = _tar_of(source)
    layer = Blob(LAYER_TYPE, gzip.compress(tar, mtime=0))
    config = {
        "architecture": {"x86_64": "amd64"}.get(architecture, architecture),
        "os": "linux",
        "config": {"Cmd": [command[1]], "WorkingDir": f"/{TASK_ROOT}"},
        "rootfs": {"type": "layers", "diff_ids": [Blob(LAYER_TYPE, tar).digest]},
    }
    config_blob = Blob(CONFIG_TYPE, _json(config))
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": config_blob.descriptor(),
        "layers": [layer.descriptor()],
    }
    return Image(
        manifest=Blob(MANIFEST_TYPE, _json(manifest)),
        config=config_blob,
        layer=layer,
        handler=command[1],
        base_digest=base[1],
    )


def write_layout(image: Image, folder: Path) -> None:
    """Keep the blobs as an OCI image layout: moto's ECR forgets what is in a layer."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    for blob in (image.layer, image.config, image.manifest):
        (blobs / blob.digest.removeprefix("sha256:")).write_bytes(blob.content)
    index = {"schemaVersion": 2, "manifests": [image.manifest.descriptor()]}
    (folder / "index.json").write_bytes(_json(index))
    (folder / "oci-layout").write_bytes(_json({"imageLayoutVersion": "1.0.0"}))


def push_image(ecr: Any, repository: str, image: Image) -> str:
    """Upload blobs and manifest with a boto3 ECR client; return the digest that ECR answers.

    Raises ImageError when that is not the digest of the manifest's bytes.
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
        raise ImageError(f"the registry answers {digest} for manifest {image.manifest.digest}")
    return digest


def _tar_of(source: Path) -> bytes:
    """Pack the folder, with nothing in it of this machine or of the hour."""
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
