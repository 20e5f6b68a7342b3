"""The errors of a builder that is missing or has failed, with what to do."""

import platform
import shutil
import subprocess
from collections.abc import Sequence

from imagecheck.errors import FailedError
from imagecheck.function import IMAGE_ARCHITECTURES, Architecture
from release.build.buildah import INSTALL as INSTALL_BUILDAH
from release.errors import RefusedError

_SHOWN_LINES = 12
_THIS_MACHINE = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
_BUILDX = "https://github.com/docker/buildx#installing"
_OR_BUILDAH = f"or build without a daemon: --builder buildah, {INSTALL_BUILDAH}"

# What is looked for in lower case, and what to say of it. Each text was read in the program's
# source or seen.
_KNOWN = (
    (
        ("cannot connect to the docker daemon", "is the docker daemon running"),
        f"the Docker daemon does not run, or you may not use it: start it, {_OR_BUILDAH}",
    ),
    (
        # https://github.com/docker/buildx/blob/master/build/utils.go
        ("is not supported for the docker driver", "not supported for docker driver"),
        "this buildx builder cannot write OCI layouts; make one that can:"
        " docker buildx create --use --driver docker-container",
    ),
    (
        ("unknown flag: --provenance", "unknown flag: --sbom", "unknown flag: --output"),
        f"this buildx is older than 0.10: update it ({_BUILDX}), {_OR_BUILDAH}",
    ),
    (
        ("no space left on device",),
        "the disk is full",
    ),
    (
        ("newuidmap", "/etc/subuid", "cannot clone: operation not permitted"),
        "buildah may not make a user name space for you: install uidmap and give your user lines"
        " in /etc/subuid and /etc/subgid (man subuid), or run it as root",
    ),
)


def require_buildah() -> None:
    """Require that buildah is installed. Raises FailedError."""
    if shutil.which("buildah") is None:
        raise FailedError("buildah is not installed", hint=INSTALL_BUILDAH)


def require_buildx() -> None:
    """Require that docker and its plugin buildx are installed. Raises FailedError."""
    try:
        command = ["docker", "buildx", "version"]
        done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603  (docker)
    except FileNotFoundError as error:
        raise FailedError(
            "docker is not installed",
            hint="install Docker Engine with buildx (https://docs.docker.com/engine/install/),"
            f" {_OR_BUILDAH}",
        ) from error
    if done.returncode:
        raise FailedError(
            "docker has no buildx", hint=f"install the plugin ({_BUILDX}), {_OR_BUILDAH}"
        )


def explain(
    builder: str, lines: Sequence[str], *, architecture: Architecture, base: str
) -> FailedError | RefusedError:
    """Return the error of a builder that failed; ``lines`` are the last that it said."""
    said = "\n".join(lines)
    if "exec format error" in said.lower():
        return _cannot_execute(architecture, base)
    for texts, what in _KNOWN:
        if any(text in said.lower() for text in texts):
            return FailedError(f"{what}\n{_shown(lines)}")
    return FailedError(f"{builder} failed; its last lines:\n{_shown(lines)}")


def _cannot_execute(architecture: Architecture, base: str) -> FailedError | RefusedError:
    here = _THIS_MACHINE.get(platform.machine().lower(), platform.machine())
    if here == architecture:
        return RefusedError(
            f"RUN cannot execute programs of the base (exec format error): those of {base} are not"
            f" for {architecture}, which this machine is",
            hint=f"name a base for {architecture}",
        )
    return FailedError(
        f"RUN cannot execute programs for {architecture} on this machine, which is {here} (exec"
        " format error)",
        hint=f"build on a machine with {architecture}, or install QEMU (Debian:"
        " apt-get install qemu-user-static; docker: docker run --privileged --rm"
        f" tonistiigi/binfmt --install {IMAGE_ARCHITECTURES[architecture]})",
    )


def _shown(lines: Sequence[str]) -> str:
    return "\n".join(f"  {line}" for line in lines[-_SHOWN_LINES:])
