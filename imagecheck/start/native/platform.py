"""For which platform a native module is, and whether that is the function's."""

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from imagecheck.image.elf import Elf, machine_name
from imagecheck.image.filesystem import FileSystem, Node

if TYPE_CHECKING:
    from imagecheck.subject import Subject

Libc = Literal["glibc", "musl"]

_FORMATS: Final = {
    b"MZ": "Windows",
    b"\xcf\xfa\xed\xfe": "macOS",
    b"\xce\xfa\xed\xfe": "macOS",
    b"\xca\xfe\xba\xbe": "macOS",
    b"\xca\xfe\xba\xbf": "macOS",
}
"""The formats of other systems, by their first bytes: those of PE and Mach-O files."""
_SYSTEMS: Final = {
    "aix": "AIX", "android": "Android", "darwin": "macOS", "freebsd": "FreeBSD", "macos": "macOS",
    "netbsd": "NetBSD", "openbsd": "OpenBSD", "openharmony": "OpenHarmony", "sunos": "SunOS",
    "win32": "Windows", "windows": "Windows",
}  # fmt: skip
_WORDS = re.compile(r"[A-Za-z0-9]+")
_GLIBC = re.compile(r"lib(?:c|m|pthread|dl|rt)\.so\.\d+|ld-linux-.*")
_OF_ANDROID = {"libandroid.so", "libdl.so", "liblog.so", "libm.so"}
# What node-gyp-build and node-pre-gyp choose by: they take no other number than the own.
_ABI = re.compile(r"(?:[.+]abi(\d{2,3})[.+\w-]*|/node-v(\d{2,3})-[^/]*/[^/]*|-(\d{2,3}))\.node$")
_ABI_OF_MAJOR: Final = {18: 108, 20: 115, 22: 127, 24: 137}
"""https://github.com/nodejs/node/blob/main/doc/abi_version_registry.json"""
_GCOMPAT = "libgcompat.so.0"


@dataclass(frozen=True)
class NativePlatform:
    """What the function's native modules have to be for."""

    machine: int
    libc: Libc | None
    """None where the program that loads them does not tell."""
    node_abi: int | None = None
    """``NODE_MODULE_VERSION`` of the image's Node."""

    def __str__(self) -> str:
        """Such as ``x86_64 with glibc``."""
        return f"{machine_name(self.machine)}{f' with {self.libc}' if self.libc else ''}"


def platform_of(subject: "Subject") -> NativePlatform:
    """Return the platform of the program that stays, and that of the function's CPU."""
    files = subject.files
    launch = subject.launch
    chain = launch.last.chain if launch else None
    elf = chain.program.entry.elf if chain and chain.program else None
    libc: Libc | None = None
    if elf and elf.interpreter:
        libc = "musl" if "ld-musl-" in elf.interpreter else "glibc"
    if files and libc == "musl" and _has_gcompat(files):
        libc = None
    abi = _node_abi(subject.start.environment.get("NODE_VERSION", ""))
    return NativePlatform(subject.function.machine, libc, abi)


def is_native(node: Node) -> bool:
    """Whether it is machine code, of whatever system."""
    return bool(node.entry.elf or _format_of(node))


def fits(node: Node, relative: str, platform: NativePlatform) -> bool:
    """Whether a module can be loaded there; ``relative`` is its path in its package."""
    elf = node.entry.elf
    if elf is None or elf.machine != platform.machine or _system_of(elf, relative):
        return False
    libc = libc_of(elf, relative)
    return None in (platform.libc, libc) or libc == platform.libc


def has_another_abi(relative: str, platform: NativePlatform) -> bool:
    """Whether its name says that it is for another version of Node."""
    match = _ABI.search(relative)
    number = next(filter(None, match.groups())) if match else ""
    return bool(number and platform.node_abi and int(number) != platform.node_abi)


def described(node: Node, relative: str) -> str:
    """Say for which platform a module is."""
    elf = node.entry.elf
    if elf is None:
        return _format_of(node) or "no machine code"
    parts = (_system_of(elf, relative), elf.machine_name, libc_of(elf, relative))
    return ", ".join(part for part in parts if part)


def libc_of(elf: Elf, relative: str = "") -> Libc | None:
    """Return the libc that a module needs, by its libraries or else by its name."""
    if any(name == "libc.so" or name.startswith("libc.musl-") for name in elf.needed):
        return "musl"
    if any(_GLIBC.fullmatch(name) for name in elf.needed):
        return "glibc"
    if "musl" in relative:
        return "musl"
    return "glibc" if "glibc" in relative else None


def _format_of(node: Node) -> str:
    return next((name for magic, name in _FORMATS.items() if node.entry.head.startswith(magic)), "")


def _system_of(elf: Elf, relative: str) -> str:
    """Name another system than Linux that an ELF file is for."""
    if "libc.so.7" in elf.needed:
        return "FreeBSD"
    if "libc.so" in elf.needed and _OF_ANDROID & set(elf.needed):
        return "Android"
    words = _WORDS.findall(relative.lower())
    return next((_SYSTEMS[word] for word in words if word in _SYSTEMS), "")


def _node_abi(version: str) -> int | None:
    major = version.removeprefix("v").partition(".")[0]
    return _ABI_OF_MAJOR.get(int(major)) if major.isdigit() else None


def _has_gcompat(files: FileSystem) -> bool:
    """Whether glibc's modules get what they want on musl: https://git.adelielinux.org/adelie/gcompat."""
    return any(files.find(posixpath.join(folder, _GCOMPAT)) for folder in ("/lib", "/usr/lib"))
