"""Unpacks the files of an image into a folder, with umoci."""

import hashlib
import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from lambda_runtime.image_sandbox.tools import ImageSandboxError, tool

_TAG = "image"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
# https://github.com/opencontainers/image-spec/blob/v1.1.1/media-types.md#compatibility-matrix:
# the documents are the same, but umoci knows only OCI's media types.
_OCI_NAMES = {
    "application/vnd.docker.distribution.manifest.v2+json": _MANIFEST,
    "application/vnd.docker.container.image.v1+json": "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.image.rootfs.diff.tar": "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip": (
        "application/vnd.oci.image.layer.v1.tar+gzip"
    ),
}


def unpack(layout: Path, rootfs: Path, *, digest: str | None = None) -> Path:
    """Write the files of an image into a folder that is not there yet, and return it.

    ``layout`` is an OCI image layout, which is only read; ``digest`` is that of one platform's
    manifest in it, and may be left out when the layout names one image alone. The digests of the
    blobs are verified. Modes are those of the image, and owners too, where root unpacks.

    Raises:
        ImageSandboxError: umoci is not installed, or cannot unpack it.

    """
    try:
        digest = digest or _only_image(layout)
        content = _blob(layout, digest).read_bytes()
        manifest = json.loads(content)
        manifest["config"], manifest["layers"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ImageSandboxError(f"{layout} has no image to unpack: {error!r}") from error
    with tempfile.TemporaryDirectory(prefix="layout-") as folder:
        _write_tagged(Path(folder), layout, manifest)
        rootless = [] if os.geteuid() == 0 else ["--rootless"]
        command = [tool("umoci"), "raw", "unpack", *rootless]
        done = subprocess.run(  # noqa: S603  (umoci, and paths of ours)
            [*command, "--image", f"{folder}:{_TAG}", str(rootfs)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        said = [line.strip(" \u2a2f") for line in done.stderr.splitlines() if line.strip()]
        raise ImageSandboxError(f"umoci cannot unpack {digest}: {' '.join(said[-1:])}")
    return rootfs


def _only_image(layout: Path) -> str:
    digests = {
        str(descriptor["digest"])
        for descriptor in json.loads((layout / "index.json").read_bytes())["manifests"]
    }
    if len(digests) != 1:
        raise ImageSandboxError(
            f"{layout} has {len(digests)} images; one must be named by its digest"
        )
    return digests.pop()


def _write_tagged(folder: Path, layout: Path, manifest: dict[str, Any]) -> None:
    """Write a layout of links to the blobs, with OCI's media types and the tag that umoci needs."""
    (folder / "blobs/sha256").mkdir(parents=True)
    config, layers = _renamed(manifest["config"]), [_renamed(d) for d in manifest["layers"]]
    for descriptor in (config, *layers):
        link = _blob(folder, descriptor["digest"])
        if not link.is_symlink():
            link.symlink_to(_blob(layout, descriptor["digest"]).absolute())
    document = {**manifest, "mediaType": _MANIFEST, "config": config, "layers": layers}
    content = json.dumps(document).encode()
    named = {
        "mediaType": _MANIFEST,
        "digest": "sha256:" + hashlib.sha256(content).hexdigest(),
        "size": len(content),
        "annotations": {"org.opencontainers.image.ref.name": _TAG},
    }
    _blob(folder, named["digest"]).write_bytes(content)
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [named]}))


def _renamed(descriptor: dict[str, Any]) -> dict[str, Any]:
    name = descriptor.get("mediaType", "")
    return {**descriptor, "mediaType": _OCI_NAMES.get(name, name)}


def _blob(layout: Path, digest: Any) -> Path:
    hexadecimal = str(digest).removeprefix("sha256:")
    if not hexadecimal.isalnum():
        raise ImageSandboxError(f"{digest!r} is no digest")
    return layout / "blobs" / "sha256" / hexadecimal
