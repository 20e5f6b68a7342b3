"""Emulators of other CPUs, which the kernel starts programs with: QEMU's user mode, mostly.

https://docs.kernel.org/admin-guide/binfmt-misc.html
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FOLDER: Final = Path("/proc/sys/fs/binfmt_misc")
_NOT_ENTRIES: Final = {"register", "status"}
_KERNEL_READS: Final = 256  # include/uapi/linux/binfmts.h, BINPRM_BUF_SIZE
_EXECUTABLE, _SHARED = 2, 3  # elf(5), e_type
_FIXED: Final = "F"


@dataclass(frozen=True)
class Emulator:
    """What the kernel starts programs of another CPU with."""

    interpreter: str
    """Its path on this machine."""
    is_fixed: bool
    """Whether it was opened when it was registered, so that it is there in other roots, too."""


def emulator_of(machine: int, folder: Path = FOLDER) -> Emulator | None:
    """Return what starts 64-bit programs of a CPU (``e_machine``), None where nothing does.

    Where several are registered, one that works in other roots is taken.
    """
    try:
        if _text(folder / "status").strip() != "enabled":
            return None
        entries = sorted(path for path in folder.iterdir() if path.name not in _NOT_ENTRIES)
        found = [emulator for path in entries if (emulator := _emulator(_text(path), machine))]
    except OSError:
        # It is not mounted, or may not be read.
        return None
    found.sort(key=lambda emulator: not emulator.is_fixed)
    return found[0] if found else None


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="surrogateescape")


def _emulator(entry: str, machine: int) -> Emulator | None:
    """Read an entry, as the kernel prints it; None where it is not for programs of this CPU."""
    state, _, rest = entry.partition("\n")
    fields = dict(line.partition(" ")[::2] for line in rest.splitlines())
    magic = fields.get("magic")
    if state != "enabled" or magic is None:
        return None
    wanted = bytes.fromhex(magic)
    mask = bytes.fromhex(fields.get("mask", "ff" * len(wanted)))
    offset = int(fields.get("offset", "0"))
    for kind in (_EXECUTABLE, _SHARED):
        start = _header(machine, kind)[offset : offset + len(wanted)]
        if len(start) < len(wanted) or any(
            (have ^ want) & counts for have, want, counts in zip(start, wanted, mask, strict=True)
        ):
            return None
    return Emulator(fields.get("interpreter", ""), _FIXED in fields.get("flags:", ""))


def _header(machine: int, kind: int) -> bytes:
    """Return how a program begins, as far as entries look."""
    start = struct.pack("<16sHHI", b"\x7fELF\x02\x01\x01", kind, machine, 1)
    return start.ljust(_KERNEL_READS, b"\0")
