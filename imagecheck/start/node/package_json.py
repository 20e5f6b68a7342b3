"""The fields of a package.json that Node and its package managers read."""

import json
import posixpath
import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from imagecheck.start.node.sources import Sources

ModuleType = Literal["module", "commonjs", ""]
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


class Package(msgspec.Struct, frozen=True):
    """A package.json. What is of the wrong type is as if it were not there, as Node has it."""

    folder: str
    name: str = ""
    main: str = ""
    type: ModuleType = ""
    exports: Any = None
    imports: Any = None
    optional: tuple[str, ...] = ()
    """The names of its optionalDependencies."""
    platforms: Mapping[str, tuple[str, ...]] = {}
    """What it says in ``os``, ``cpu`` and ``libc``."""
    is_broken: bool = False
    """Whether it is not JSON, which Node 20 refuses."""
    is_refused: bool = False
    """Whether newer ones refuse it too: they pass over what they do not look into."""


class Packages:
    """The package.json files of an image."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._known: dict[str, Package | None] = {}

    def at(self, folder: str) -> Package | None:
        """Return the package.json in a folder."""
        if folder not in self._known:
            text = self._sources.read_path(posixpath.join(folder, "package.json"))
            self._known[folder] = None if text is None else _package(folder, text)
        return self._known[folder]

    def scope_of(self, path: str) -> Package | None:
        """Return the nearest package.json above a file, as far as ``node_modules``.

        https://nodejs.org/api/esm.html#resolution-algorithm-specification LOOKUP_PACKAGE_SCOPE
        """
        folder = posixpath.dirname(path)
        while True:
            if posixpath.basename(folder) == "node_modules":
                return None
            if package := self.at(folder):
                return package
            if folder == "/":
                return None
            folder = posixpath.dirname(folder)


def _package(folder: str, text: bytes) -> Package:
    try:
        # Not as strict as msgspec is: what Node may take is not to be called broken.
        content = json.loads(text.decode("utf-8", "replace").removeprefix("\ufeff"), strict=False)
    except (ValueError, RecursionError):
        return Package(folder, is_broken=True, is_refused=_is_refused(text))
    if not isinstance(content, dict):
        return Package(folder)
    kind = content.get("type")
    optional = content.get("optionalDependencies")
    return Package(
        folder=folder,
        name=_text(content.get("name")),
        main=_text(content.get("main")),
        type=kind if kind in {"module", "commonjs"} else "",
        exports=content.get("exports"),
        imports=content.get("imports"),
        optional=tuple(optional) if isinstance(optional, dict) else (),
        platforms={
            key: tuple(v for v in value if isinstance(v, str))
            for key in ("os", "cpu", "libc")
            if isinstance(value := content.get(key), list)
        },
    )


def _is_refused(text: bytes) -> bool:
    """Whether a text that is not JSON is cut off, or is not an object from the start.

    Tried with Node 22 and 24: what is wrong inside of a value, such as a comma at the end of a
    list, they do not see.
    """
    rest = _STRING.sub(b"", text.strip())
    opened = rest.count(b"{") + rest.count(b"[") - rest.count(b"}") - rest.count(b"]")
    return not rest.startswith(b"{") or opened > 0 or b'"' in rest


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
