"""Other people's tools for images: what they make and read is what ours has to agree with."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

PACKAGES = {
    "buildah": "buildah",
    "skopeo": "skopeo",
    "unshare": "util-linux",
}


class MissingToolError(Exception):
    """A program that the tests need is not installed; the message names its Debian package."""


def tool(name: str) -> str:
    """Return where the program is. Raises MissingToolError when it is nowhere."""
    path = shutil.which(name)
    if path is None:
        raise MissingToolError(f"{name} is needed: apt-get install {PACKAGES[name]}")
    return path


def run(command: Sequence[str]) -> str:
    """Run a command that has to succeed and return what it printed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


def skopeo_copy(source: str, destination: str, *options: str) -> None:
    """Copy an image between transports: ``oci:DIR``, ``docker-archive:FILE``, ``docker://...``."""
    loopback = ["--src-tls-verify=false", "--dest-tls-verify=false"]
    copy = [tool("skopeo"), "copy", "--quiet", "--insecure-policy", *loopback, *options]
    run([*copy, source, destination])


def buildah_build(
    context: Path, destination: str, *, storage: Path, kind: Literal["oci", "docker"] = "oci"
) -> None:
    """Build the Dockerfile in ``context`` and write the image, of this kind, to ``destination``.

    A real builder: what it writes, no test has chosen. Its state stays in ``storage``.
    """
    buildah = [tool("buildah"), "--root", f"{storage}/root", "--runroot", f"{storage}/run"]
    buildah += ["--storage-driver", "vfs"]
    settings = ["--isolation", "chroot", "--timestamp", "0", "--format", kind, "--tag", "built"]
    run([*buildah, "bud", "--quiet", *settings, str(context)])
    run([*buildah, "push", "--quiet", "built", destination])
