"""Which program builds: docker with buildx, or buildah."""

import shutil
import subprocess
from typing import Literal

from imagecheck.errors import FailedError
from release.build.failure import require_buildah, require_buildx

Builder = Literal["docker", "buildah"]

_NO_DAEMON = b"cannot connect to the docker daemon"


def choose_builder(asked: Builder | None) -> Builder:
    """Return what was asked for; else docker where it can build here, and else buildah.

    Raises FailedError when that is not installed.
    """
    if asked == "buildah":
        require_buildah()
        return "buildah"
    if asked is None and shutil.which("buildah") and not _docker_can_build():
        return "buildah"
    require_buildx()
    return "docker"


def _docker_can_build() -> bool:
    """Whether buildx is there, and the daemon of its builder can be reached.

    The builder may be on another machine, so docker itself is not asked.
    """
    try:
        require_buildx()
    except FailedError:
        return False
    inspected = subprocess.run(
        ["docker", "buildx", "inspect"],  # noqa: S607  (the user's own)
        capture_output=True,
        check=False,
    )
    said = (inspected.stdout + inspected.stderr).lower()
    return inspected.returncode == 0 and _NO_DAEMON not in said
