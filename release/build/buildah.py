"""Builds with buildah: no daemon, and nothing of the build is left but the image.

https://github.com/containers/buildah/blob/main/docs/buildah-build.1.md
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from release.build.tool import BuildToolError, run_tool

INSTALL = "install it (Debian: apt-get install buildah; as another user than root, uidmap too)"
# Nothing of the person's settings decides what is built.
_ENVIRONMENT = {
    "BUILDAH_FORMAT": "",
    "BUILDAH_ISOLATION": "",
    "BUILDAH_LAYERS": "",
    "SOURCE_DATE_EPOCH": "",
    "STORAGE_DRIVER": "",
    "STORAGE_OPTS": "",
}


def build_with_buildah(
    folder: Path,
    *,
    context: str,
    layout: str,
    platform: str,
    build_arguments: Mapping[str, str],
    plain_http: bool,
) -> None:
    """Build the folder's ``context`` into an OCI layout in its ``layout``, for one platform.

    Storage is in the folder too while it builds, so the base is pulled each time. ``plain_http``:
    the registry is on this machine, and needs no certificate.

    Raises as ``run_tool`` does.
    """
    storage = folder / "storage"
    temporary = storage / "tmp"
    temporary.mkdir(parents=True)
    command = [*_buildah(storage), "bud", "--isolation=chroot", "--no-hosts"]
    command += ["--format=oci", "--layers=false", "--disable-compression=false"]
    command += ["--timestamp=0", "--identity-label=false", f"--platform={platform}"]
    command += [f"--build-arg={name}={value}" for name, value in build_arguments.items()]
    if plain_http:
        command.append("--tls-verify=false")
    command += [f"--tag=oci:{layout}:latest", context]
    try:
        run_tool(command, folder=folder, environment={**_ENVIRONMENT, "TMPDIR": str(temporary)})
    finally:
        _remove(storage)


def _buildah(storage: Path) -> list[str]:
    """Return the command with the fastest storage that works here; the image is the same in each.

    overlay copies nothing, and needs root and a file system that it can lie on. Its mounts are in a
    name space of their own, so that they end with the build, however that ends. vfs works in every
    place: in a container, on every file system, without FUSE.
    """
    places = [f"--root={storage}/root", f"--runroot={storage}/run"]
    overlay = ["unshare", "--mount", "buildah", *places, "--storage-driver=overlay"]
    if os.geteuid() == 0 and shutil.which("unshare"):
        probe = subprocess.run([*overlay, "info"], capture_output=True, check=False)  # noqa: S603
        if probe.returncode == 0:
            return overlay
    return ["buildah", *places, "--storage-driver=vfs"]


def _remove(storage: Path) -> None:
    if os.geteuid():
        # The files of a base belong to users of the name space that buildah made.
        with suppress(BuildToolError, FileNotFoundError):
            run_tool(["buildah", "unshare", "rm", "-rf", str(storage)], folder=storage.parent)
    shutil.rmtree(storage, ignore_errors=True)
