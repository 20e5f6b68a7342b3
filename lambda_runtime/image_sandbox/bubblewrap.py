"""The bubblewrap command of the sandbox: namespaces, mounts and devices."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from lambda_runtime.image_sandbox.tools import tool

# https://docs.aws.amazon.com/lambda/latest/dg/configuration-ephemeral-storage.html, the default.
_TMP_BYTES: Final = 512 * 1024 * 1024
_DEVICES: Final = ("full", "null", "random", "urandom", "zero")
_DEVICE_LINKS: Final = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
}
# The launcher needs them to become another user in another root; the program has none of them.
_CAPABILITIES: Final = ("CAP_DAC_READ_SEARCH", "CAP_SETGID", "CAP_SETUID", "CAP_SYS_CHROOT")


def as_root() -> list[str]:
    """Return the command prefix that makes the user root in a user namespace; none for root."""
    if os.geteuid() == 0:
        return []
    # Several users: with one, the image's files would belong to the user of the program.
    tool("newuidmap")
    return [tool("unshare"), "--user", "--map-auto", "--map-root-user", "--"]


def bubblewrap(rootfs: Path, over: Mapping[Path, Path]) -> list[str]:
    """Return the command that mounts the image read-only at its path; the launcher enters it.

    ``over`` has files of the image, and what is mounted over each.
    """
    command = [tool("bwrap"), "--as-pid-1", "--unshare-pid", "--unshare-ipc", "--unshare-uts"]
    command += ["--cap-drop", "ALL", *(w for c in _CAPABILITIES for w in ("--cap-add", c))]
    # The launcher is a program of this machine, and leaves this root when it enters the image.
    command += ["--ro-bind", "/", "/", "--dev-bind", "/dev/null", "/dev/null"]
    command += ["--ro-bind", str(rootfs), str(rootfs)]
    for name in ("dev", "proc", "tmp"):
        point = rootfs / name
        if not os.path.lexists(point):
            # Another process of the same image may be making it.
            point.mkdir(0o755, exist_ok=True)
        # Nothing is mounted on a link: it would lead out of the image.
        if point.is_dir() and not point.is_symlink():
            command += _mount(name, str(point))
    for point, file in over.items():
        command += ["--ro-bind", str(file), str(point)]
    return command


def _mount(name: str, point: str) -> list[str]:
    if name == "tmp":
        return ["--perms", "1777", "--size", str(_TMP_BYTES), "--tmpfs", point]
    if name == "proc":
        return ["--proc", point]
    devices = (w for d in _DEVICES for w in ("--dev-bind", f"/dev/{d}", f"{point}/{d}"))
    links = (w for d, to in _DEVICE_LINKS.items() for w in ("--symlink", to, f"{point}/{d}"))
    return ["--perms", "0755", "--tmpfs", point, *devices, *links, "--remount-ro", point]
