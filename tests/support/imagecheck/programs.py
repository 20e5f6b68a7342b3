"""Programs to put into images: some that this machine's CPU can run, and some that it cannot."""

import platform
import re
import struct
from collections.abc import Iterator
from pathlib import Path

from local.practice.base_files import ENTRYPOINT_SCRIPT
from tests.support.imagecheck.images import Directory, File, Member, Symlink
from tests.support.imagecheck.tools import MissingToolError, run

X86_64, AARCH64 = 62, 183
"""``e_machine`` of elf.h"""
HOST_MACHINE = {"x86_64": X86_64, "aarch64": AARCH64}[platform.machine()]
OTHER_MACHINE = X86_64 + AARCH64 - HOST_MACHINE
ARCHITECTURES = {X86_64: "amd64", AARCH64: "arm64"}
HOST, OTHER = ARCHITECTURES[HOST_MACHINE], ARCHITECTURES[OTHER_MACHINE]
"""The architecture of this machine, and one that it cannot run, in the words of an image."""

ENTRYPOINT = ENTRYPOINT_SCRIPT
"""That of AWS's images."""
SHELL_RUNTIME = """#!/bin/sh
exec /bin/busybox wget -q -O - "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/next"
"""


def busybox() -> bytes:
    """Return a shell, and much else, that needs no other file."""
    path = Path("/bin/busybox")
    content = path.read_bytes() if path.exists() else b""
    if not content or b"/ld-linux-" in content:
        raise MissingToolError(f"a static {path} is needed: apt-get install busybox-static")
    return content


def of_other_cpu(elf: bytes) -> bytes:
    """Return the program as if it had been built for the CPU that this machine does not have."""
    assert elf[18:20] == struct.pack("<H", HOST_MACHINE)
    return elf[:18] + struct.pack("<H", OTHER_MACHINE) + elf[20:]


def tiny_elf(
    *, exit_status: int = 0, interpreter: str | None = None, machine: int = HOST_MACHINE
) -> bytes:
    """Return a program that only ends with ``exit_status`` (0 to 255).

    With an ``interpreter`` it is linked dynamically in name: the kernel loads that loader, which
    may be another such program, and starts it in its place.
    """
    code = _EXIT[machine](exit_status)
    name = interpreter.encode() + b"\0" if interpreter is not None else b""
    headers = 2 if name else 1
    start = 64 + 56 * headers
    size = start + len(code) + len(name)
    # ET_DYN without a fixed address: that way a program and its loader never collide.
    header = struct.pack(
        "<16sHHIQQQIHHHHHH",
        b"\x7fELF\x02\x01\x01", 3, machine, 1, start, 64, 0, 0, 64, 56, headers, 0, 0, 0,
    )  # fmt: skip
    at = start + len(code)
    interp = struct.pack("<IIQQQQQQ", 3, 4, at, at, at, len(name), len(name), 1) if name else b""
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, size, size, 0x10000)
    return header + interp + load + code + name


def program_without(path: str, *names: str) -> Iterator[Member]:
    """Yield this machine's awk as ``path``, and its libraries but those that are named."""
    program = Path("/usr/bin/awk").resolve()
    yield File(path.lstrip("/"), program.read_bytes(), 0o755)
    for library in re.findall(r"(/\S+) \(0x", run(["ldd", str(program)])):
        if Path(library).name not in names:
            yield File(library[1:], Path(library).read_bytes(), 0o755)


def aws_like_base(runtime: str = SHELL_RUNTIME) -> tuple[Member, ...]:
    """Return the files of an image that is laid out as AWS's base images are."""
    return (
        File("lambda-entrypoint.sh", ENTRYPOINT, 0o755),
        File("bin/busybox", busybox(), 0o755),
        Symlink("bin/sh", "busybox"),
        File("var/runtime/bootstrap", runtime, 0o755),
        Directory("var/task"),
        Directory("opt"),
        Directory("tmp", 0o1777),
    )


def _exit_x86_64(status: int) -> bytes:
    return b"\xbf" + struct.pack("<I", status) + b"\xb8\x3c\0\0\0" + b"\x0f\x05"


def _exit_aarch64(status: int) -> bytes:
    return struct.pack("<III", 0xD2800000 | status << 5, 0xD2800000 | 93 << 5 | 8, 0xD4000001)


_EXIT = {X86_64: _exit_x86_64, AARCH64: _exit_aarch64}
