"""The programs of the sandbox: umoci unpacks, bubblewrap makes namespaces and mounts."""

import os
import shutil
import sys

from imagecheck.errors import FailedError

_PACKAGES = {
    "bwrap": "bubblewrap",
    "newuidmap": "uidmap",
    "umoci": "umoci",
    "unshare": "util-linux",
}


class ImageSandboxError(FailedError):
    """An image cannot be unpacked, or no sandbox can be set up: this says nothing of the image."""


def tool(name: str) -> str:
    """Return the path of a program. Raises ImageSandboxError when it is not installed."""
    path = shutil.which(name)
    if path is None:
        raise ImageSandboxError(
            f"{name} is not installed", hint=f"apt-get install {_PACKAGES[name]}"
        )
    return path


def require_tools() -> None:
    """Check that the programs of ``unpack`` and ``ImageSandbox`` are installed.

    Raises:
        ImageSandboxError: this is not Linux, or programs are missing; it names all of them.

    """
    if sys.platform != "linux":
        raise ImageSandboxError("images are started on Linux only")
    missing = [name for name in needed_tools() if shutil.which(name) is None]
    if missing:
        packages = " ".join(_PACKAGES[name] for name in missing)
        verb = "are" if missing[1:] else "is"
        raise ImageSandboxError(
            f"{', '.join(missing)} {verb} not installed", hint=f"apt-get install {packages}"
        )


def needed_tools() -> list[str]:
    """Return the programs that this user needs; root needs fewer."""
    return ["umoci", "bwrap", *([] if os.geteuid() == 0 else ["unshare", "newuidmap"])]
