"""The programs that do the work: umoci unpacks, bubblewrap makes namespaces and mounts."""

import os
import shutil
import sys

_PACKAGES = {
    "bwrap": "bubblewrap",
    "newuidmap": "uidmap",
    "umoci": "umoci",
    "unshare": "util-linux",
}


class ImageSandboxError(Exception):
    """An image cannot be unpacked or no sandbox be set up; the message says why and what to do.

    It is no judgement of the image.
    """


def tool(name: str) -> str:
    """Return where a program is. Raises ImageSandboxError when it is nowhere."""
    path = shutil.which(name)
    if path is None:
        raise ImageSandboxError(f"{name} is not installed: apt-get install {_PACKAGES[name]}")
    return path


def require_tools() -> None:
    """See that all is here that ``unpack`` and ``ImageSandbox`` need.

    Raises:
        ImageSandboxError: this is no Linux, or programs are missing; it names all of them.

    """
    if sys.platform != "linux":
        raise ImageSandboxError("images are started on Linux only")
    missing = [name for name in needed_tools() if shutil.which(name) is None]
    if missing:
        packages = " ".join(_PACKAGES[name] for name in missing)
        verb = "are" if missing[1:] else "is"
        raise ImageSandboxError(
            f"{', '.join(missing)} {verb} not installed: apt-get install {packages}"
        )


def needed_tools() -> list[str]:
    """Return the programs that are needed by who runs this."""
    return ["umoci", "bwrap", *([] if os.geteuid() == 0 else ["unshare", "newuidmap"])]
