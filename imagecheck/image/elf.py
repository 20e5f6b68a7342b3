"""The facts of an ELF file that decide whether it can be started."""

from typing import Final

import msgspec

MAGIC: Final = b"\x7fELF"
X86_64: Final = 62
AARCH64: Final = 183

_NAMES = {3: "i386", 8: "mips", 20: "ppc", 21: "ppc64", 22: "s390", 40: "arm", X86_64: "x86_64",
          AARCH64: "aarch64", 243: "riscv", 258: "loongarch"}  # fmt: skip


class NeededVersion(msgspec.Struct, frozen=True, array_like=True):
    """A version of symbols that a file wants of one of its libraries."""

    library: str
    version: str


class Elf(msgspec.Struct, frozen=True, array_like=True):
    """An ELF file, as far as starting it depends on it."""

    machine: int
    loadable: bool
    """Whether a kernel of that machine takes it for a program."""
    complete: bool
    """Whether the file is as long as its program headers say."""
    interpreter: str | None = None
    """The dynamic loader (``PT_INTERP``); None for a static program or a library."""
    soname: str = ""
    needed: tuple[str, ...] = ()
    search_path: tuple[str, ...] = ()
    """The folders of ``DT_RPATH`` and ``DT_RUNPATH``; ``$ORIGIN`` is left as it is."""
    needs_versions: tuple[NeededVersion, ...] = ()
    """Those that the loader insists on."""
    has_versions: tuple[str, ...] = ()
    ends_in_interpreter: bool = False
    """Whether the file ends before the loader's name does; the kernel has an own error for it."""
    has_rpath: bool = False
    """Whether ``search_path`` is of ``DT_RPATH``: that also serves the libraries that it loads."""

    @property
    def machine_name(self) -> str:
        """Such as ``aarch64``."""
        return machine_name(self.machine)


def machine_name(machine: int) -> str:
    """Name an ``e_machine`` as ``uname -m`` does."""
    return _NAMES.get(machine, f"machine {machine}")
