"""Packages whose native part is in other packages, one for each platform."""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from imagecheck.image.filesystem import FileSystem, Node
from imagecheck.image.layer import FileKind
from imagecheck.start.node.package_json import Package

_SYSTEMS: Final = frozenset(
    [
        "linux",
        "linuxmusl",
        "darwin",
        "win32",
        "windows",
        "freebsd",
        "openbsd",
        "netbsd",
        "sunos",
        "android",
        "aix",
    ]
)
_CPUS: Final = frozenset(
    [
        "x64",
        "arm64",
        "arm",
        "armv6",
        "armv7",
        "ia32",
        "x86",
        "riscv64",
        "ppc64",
        "ppc64le",
        "s390x",
        "loong64",
        "mips64el",
        "universal",
    ]
)
_MUSL, _GLIBC = frozenset({"linuxmusl", "musl", "musleabihf"}), frozenset({"gnu", "glibc"})
_NEEDS_ONE: Final = frozenset(
    {"sharp", "@parcel/watcher", "@swc/core", "lightningcss", "rollup", "@tailwindcss/oxide"}
)
"""Packages that fail while they load when none of their platform packages is there."""
_MAX_FILES = 5000


@dataclass(frozen=True)
class NodePlatform:
    """What native modules have to be for."""

    cpu: str
    """In the words of Node: x64, arm64."""
    is_musl: bool | None
    """None where it is not known which C library there is."""

    def fits(self, name: str, siblings: "tuple[str, ...]") -> bool:
        """Whether a package of such a name is for this platform, among others of its kind."""
        words = _words(name)
        if not words & {"linux", "linuxmusl"} or self.cpu not in words:
            return False
        if self.is_musl is None:
            return True
        if words & _MUSL:
            return self.is_musl
        if words & _GLIBC:
            return not self.is_musl
        has_musl_sibling = any(_words(one) & _MUSL for one in siblings)
        return not (self.is_musl and has_musl_sibling)


def _words(name: str) -> frozenset[str]:
    return frozenset(re.split(r"[-/@_.]", name.lower()))


def unfit_platform_packages(files: FileSystem, package: Package, platform: NodePlatform) -> str:
    """Say why a package cannot load its native part; empty where it may.

    For packages as sharp, whose native part is in optional packages, one for each platform.
    """
    names = tuple(
        name
        for name in package.optional
        if _words(name) & _SYSTEMS and _words(name) & _CPUS and "libvips" not in name
    )
    fitting = [name for name in names if platform.fits(name, names)]
    if not fitting:
        return ""
    installed = {
        name: folder for name in package.optional if (folder := _find(files, package, name))
    }
    if any(name in installed or "wasm" in "".join(installed) for name in fitting):
        return ""
    if any(node.entry.elf for node in addons_below(files, package.folder)):
        return ""
    others = [name for name in names if name in installed and _has_addon(files, installed[name])]
    if not others and package.name not in _NEEDS_ONE:
        return ""
    wanted = " or ".join(fitting)
    if others:
        return f"{package.name} needs {wanted}, and only {', '.join(others)} is installed"
    return f"{package.name} needs {wanted}, which is not installed"


def _has_addon(files: FileSystem, folder: str) -> bool:
    return next(iter(addons_below(files, folder)), None) is not None


def _find(files: FileSystem, package: Package, name: str) -> str:
    folder = package.folder
    while True:
        if posixpath.basename(folder) != "node_modules":
            found = files.find(posixpath.join(folder, "node_modules", name))
            if found and found.kind is FileKind.DIRECTORY:
                return found.path
        if folder == "/":
            return ""
        folder = posixpath.dirname(folder)


def addons_below(files: FileSystem, folder: str) -> Iterator[Node]:
    """Go through the ``.node`` files of a package, without those of packages inside it."""
    start = files.find(folder)
    waiting = [start] if start else []
    count = 0
    while waiting and count < _MAX_FILES:
        for name, child in waiting.pop().children.items():
            count += 1
            if child.kind is FileKind.DIRECTORY and name != "node_modules":
                waiting.append(child)
            elif child.kind is FileKind.FILE and name.endswith(".node"):
                yield child
