"""Really starts a program of an image, under Lambda's conditions, and says what happened.

The user is Lambda's, the file system read-only but for /tmp, the Runtime API there. Who unpacks is
umoci, who decides is the kernel: nothing here knows why a program does not start.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lambda_runtime.image_sandbox import ImageSandbox
from lambda_runtime.image_sandbox import unpack as unpack_layout
from tests.support.imagecheck.images import Image

# In words of the sandbox and not of the program: tests look at the numbers beside it.
_OF_THE_SANDBOX = (
    "Runtime.ExitError",
    "Runtime.InvalidEntrypoint",
    "Runtime.InvalidWorkingDir",
    "Sandbox.Timedout",
)


@dataclass(frozen=True, kw_only=True)
class Started:
    """What became of a start; an empty ``error_type`` means that it asks for its first event."""

    error_type: str
    """As Lambda calls it, in its log and in the answer to an invocation."""
    message: str = ""
    """What the runtime client reported beside it."""
    errno: int | None = None
    """Why there is no working directory, or why it could not be entered or the program started."""
    exit_status: int | None = None
    signal: int | None = None
    output: str = ""


def start(
    image: Image,
    command: Sequence[str],
    *,
    workdir: str = "/",
    env: Mapping[str, str] | None = None,
    timeout: float = 10,
) -> Started:
    """Unpack an image, start ``command`` in it, and leave nothing behind."""
    with tempfile.TemporaryDirectory(prefix="rootfs-") as folder:
        rootfs = unpack(image, Path(folder) / "rootfs")
        return start_folder(rootfs, command, workdir=workdir, env=env, timeout=timeout)


def unpack(image: Image, rootfs: Path) -> Path:
    """Write the files of an image into a new folder, with their modes, and return it."""
    return unpack_layout(image.folder, rootfs, digest=image.digest)


def start_folder(
    rootfs: Path,
    command: Sequence[str],
    *,
    workdir: str = "/",
    env: Mapping[str, str] | None = None,
    timeout: float = 10,
) -> Started:
    """Start ``command`` with ``rootfs`` as its root directory, and end it once that is decided.

    The environment is ``env`` and the Runtime API's address.
    """
    lines: list[str] = []
    sandbox = ImageSandbox(
        rootfs, command=command, workdir=workdir, environment=env or {}, log=lines.append
    )
    with sandbox:
        error = sandbox.start(timeout)
    if error is None:
        return Started(error_type="", output=_text(lines))
    code = sandbox.exit_code
    return Started(
        error_type=error.type,
        message="" if error.type in _OF_THE_SANDBOX else error.message,
        errno=sandbox.errno,
        exit_status=code if code is not None and code >= 0 else None,
        signal=-code if code is not None and code < 0 else None,
        output=_text(lines),
    )


def _text(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
