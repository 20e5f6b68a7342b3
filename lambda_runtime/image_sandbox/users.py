"""Lambda's user, as the program of an image finds it in the list of users."""

import os
from pathlib import Path
from typing import Final

_MAX_LINKS: Final = 40  # As the kernel: path_resolution(7).
LAMBDA_HOME: Final = "/home/sbx_user1051"
"""It was seen with images of all kinds, and never exists.

https://github.com/aws/aws-lambda-base-images/issues/63
"""
# From /etc/passwd on Lambda, with the ids of the emulator's newer supervisor.
_LAMBDA_USER: Final = f"sbx_user1051:x:993:990::{LAMBDA_HOME}:/sbin/nologin\n"


def users_with_lambdas(own: bytes) -> bytes:
    """Return an image's list of users (passwd(5)) with Lambda's first, whose home is not there.

    Programs ask for it as they start: Node's ``os.homedir()`` throws where there is no HOME and the
    list does not have the user, and the AWS SDK for JavaScript asks it for each client.
    """
    return _LAMBDA_USER.encode() + own


def users_file(rootfs: Path) -> Path | None:
    """Return the file that a program in ``rootfs`` reads as /etc/passwd, made empty if need be.

    Links are followed as they lead inside the image. None: they lead to nothing, or to no file.
    """
    folder = rootfs / "etc"
    if not os.path.lexists(folder):
        # Another process of the same image may be making it.
        folder.mkdir(0o755, exist_ok=True)
    path = _followed(rootfs, "etc/passwd")
    if path is None or not path.parent.is_dir():
        return None
    if not path.exists():
        path.touch(0o644)
    return path if path.is_file() else None


def _followed(rootfs: Path, name: str) -> Path | None:
    """Follow the links of a path as if ``rootfs`` were the root; None where they do not end."""
    path, links = rootfs, 0
    rest = list(reversed(name.split("/")))
    while rest:
        name = rest.pop()
        if name == "..":
            path = path if path == rootfs else path.parent
            continue
        path /= name
        if not path.is_symlink():
            continue
        links += 1
        if links > _MAX_LINKS:
            return None
        target = path.readlink()
        path = rootfs if target.is_absolute() else path.parent
        rest += reversed([part for part in target.parts if part != "/"])
    return path
