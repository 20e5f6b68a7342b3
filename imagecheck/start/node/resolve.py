"""Finds modules as Node does.

``require``: https://nodejs.org/api/modules.html#all-together. ``import``:
https://nodejs.org/api/esm.html#resolution-algorithm-specification.
"""

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from imagecheck.budget import Budget
from imagecheck.image.filesystem import FileSystem, Node
from imagecheck.image.layer import FileKind
from imagecheck.start.node.builtins import is_built_in
from imagecheck.start.node.package_json import Package, Packages
from imagecheck.start.node.package_targets import (
    Conditions,
    NotExportedError,
    UnknownConditionError,
    target_of_exports,
    target_of_imports,
)
from imagecheck.start.node.version import NodeRuntime

_REQUIRED: Final = ("", ".js", ".json", ".node")
_INDEX: Final = ("index.js", "index.json", "index.node")


@dataclass(frozen=True)
class Missing:
    """A module that is not found, for certain."""

    text: str
    """Why, as a clause without the name of who asks."""
    error_type: str = "Runtime.ImportModuleError"
    """What a runtime client reports: only ``MODULE_NOT_FOUND`` has a name of its own there."""
    folder: str = ""
    """A folder that was found where a file is needed."""


BUILT_IN: Final = "built in"
UNSURE: Final = "unsure"
Resolution = Node | Missing | str
"""A file; or BUILT_IN; or UNSURE, where it depends on what is not known here."""


class Resolver:
    """Node's two ways to find a module in an image.

    Args:
        files: the image.
        packages: its package.json files.
        node: which Node it is.
        node_path: the folders of NODE_PATH, which only ``require`` looks in.
        budget: of the check.
        import_paths: folders of packages in which ``import`` looks at last.

    """

    def __init__(
        self,
        files: FileSystem,
        packages: Packages,
        node: NodeRuntime,
        node_path: Sequence[str],
        budget: Budget,
        *,
        import_paths: Sequence[str] = (),
    ) -> None:
        self._files = files
        self._packages = packages
        self._node = node
        self._node_path = tuple(node_path)
        self._import_paths = tuple(import_paths)
        self._budget = budget
        sync = {"module-sync"}
        unsure = sync if node.requires_modules is None else set()
        usual = {"node", "node-addons", *node.conditions, *(sync if node.requires_modules else ())}
        self._conditions = {
            how: Conditions(frozenset(usual | {how}), frozenset(unsure))
            for how in ("require", "import")
        }

    def require(self, name: str, folder: str, more_paths: Sequence[str] = ()) -> Resolution:
        """Find what ``require(name)`` loads in a module of that folder."""
        self._budget.spend(20)
        built_in = is_built_in(name, self._node.version)
        if built_in or name.startswith("node:"):
            return self._scheme(name, built_in)
        try:
            if name.startswith("#"):
                return self._imports(name, folder, "require")
            if name in {".", ".."} or name.startswith(("/", "./", "../")):
                path = posixpath.join(folder, name)
                found = self._file_or_folder(path)
                return found or Missing(f"{self._normal(path)} is not in the image")
            return self._required_package(name, [folder, *more_paths])
        except UnknownConditionError:
            return UNSURE

    def import_(self, name: str, folder: str) -> Resolution:
        """Find what ``import name`` loads in a module of that folder."""
        self._budget.spend(20)
        built_in = is_built_in(name, self._node.version)
        if built_in or name.startswith("node:"):
            return self._scheme(name, built_in)
        try:
            if name.startswith("#"):
                return self._imports(name, folder, "import")
            if name in {".", ".."} or name.startswith(("/", "./", "../", "file://")):
                path = _of_url(name.removeprefix("file://"))
                return self._exact(posixpath.join(folder, path))
            if name.startswith(("https://", "http://")):
                return Missing("Node imports nothing over the network", "Error")
            # data:, or what a loader makes of it.
            is_address = ":" in name.partition("/")[0]
            return UNSURE if is_address else self._imported_package(name, folder)
        except UnknownConditionError:
            return UNSURE

    def as_file(self, path: str) -> Node | None:
        """Find what ``require`` of an absolute path loads, if anything."""
        return self._file_or_folder(path)

    @staticmethod
    def _scheme(name: str, built_in: bool | None) -> Resolution:
        if built_in:
            return BUILT_IN
        return (
            UNSURE if built_in is None else Missing(f"{name} is not built into this Node", "Error")
        )

    def _find(self, path: str) -> Node | None:
        self._budget.spend(3)
        return self._files.find(path)

    def _is_folder(self, path: str) -> bool:
        node = self._find(path)
        return node is not None and node.kind is FileKind.DIRECTORY

    def _is_file(self, path: str) -> Node | None:
        node = self._find(path)
        return node if node and node.kind is not FileKind.DIRECTORY else None

    def _file_or_folder(self, path: str) -> Node | None:
        """LOAD_AS_FILE and LOAD_AS_DIRECTORY."""
        if not path.endswith(("/", "/.", "/..")):
            for ending in _REQUIRED:
                if node := self._is_file(path + ending):
                    return node
        folder = self._find(path)
        if folder is None or folder.kind is not FileKind.DIRECTORY:
            return None
        package = self._packages.at(folder.path)
        if package and package.is_broken:
            raise UnknownConditionError
        if package and package.main:
            main = posixpath.normpath(posixpath.join(folder.path, package.main))
            tries = [main + ending for ending in _REQUIRED]
            tries += [posixpath.join(main, index) for index in _INDEX]
            if found := next(filter(None, map(self._is_file, tries)), None):
                return found
        tries = [posixpath.join(folder.path, index) for index in _INDEX]
        return next(filter(None, map(self._is_file, tries)), None)

    def _required_package(self, name: str, folders: Sequence[str]) -> Resolution:
        own = self._self(name, folders[0], "require")
        if own is not None:
            return own
        package_name, subpath = _split(name)
        looked: list[str] = []
        for folder in folders:
            looked += _node_modules(self._normal(folder))
        looked += self._node_path
        dangling = ""
        for where in dict.fromkeys(looked):
            if not self._is_folder(where):
                continue
            package = self._packages.at(self._normal(posixpath.join(where, package_name)))
            if package and package.is_broken:
                return self._broken(package, "require")
            if package and package.exports is not None:
                return self._exports(package, subpath, "require")
            if found := self._file_or_folder(posixpath.join(where, name)):
                return found
            dangling = dangling or self._why_not(posixpath.join(where, package_name))
        return Missing(dangling or f"no node_modules on the way up has {package_name}")

    def _imported_package(self, name: str, folder: str) -> Resolution:
        own = self._self(name, folder, "import")
        if own is not None:
            return own
        package_name, subpath = _split(name)
        dangling = ""
        for where in [*_node_modules(self._normal(folder)), *self._import_paths]:
            path = posixpath.join(where, package_name)
            found = self._find(path)
            if found is None or found.kind is not FileKind.DIRECTORY:
                dangling = dangling or self._why_not(path)
                continue
            package = self._packages.at(found.path)
            if package and package.is_broken:
                return self._broken(package, "import")
            if package and package.exports is not None:
                return self._exports(package, subpath, "import")
            if subpath != ".":
                return self._exact(posixpath.join(found.path, subpath))
            return self._legacy_main(found.path, package)
        return Missing(dangling or f"no node_modules on the way up has {package_name}", "Error")

    def _broken(self, package: Package, how: str) -> Resolution:
        error_type = refusal_of(package, how, self._node)
        where = posixpath.join(package.folder, "package.json")
        return Missing(f"{where} is not valid JSON", error_type) if error_type else UNSURE

    def _legacy_main(self, folder: str, package: Package | None) -> Resolution:
        tries = []
        if package and package.main:
            main = posixpath.join(folder, package.main)
            tries = [main + ending for ending in _REQUIRED]
            tries += [posixpath.join(main, index) for index in _INDEX]
        tries += [posixpath.join(folder, index) for index in _INDEX]
        found = next(filter(None, map(self._is_file, map(posixpath.normpath, tries))), None)
        return found or Missing(f"{folder} has no main module", "Error")

    def _self(self, name: str, folder: str, how: str) -> Resolution | None:
        """Resolve a package that names itself."""
        package = self._packages.scope_of(posixpath.join(self._normal(folder), "x"))
        package_name, subpath = _split(name)
        if package is None or package.exports is None or package.name != package_name:
            return None
        return self._exports(package, subpath, how)

    def _exports(self, package: Package, subpath: str, how: str) -> Resolution:
        try:
            target = target_of_exports(package.exports, subpath, self._conditions[how])
        except NotExportedError:
            what = posixpath.normpath(posixpath.join(package.name or package.folder, subpath))
            where = posixpath.join(package.folder, "package.json")
            return Missing(f'{where} has no {what} in its "exports"', "Error")
        return self._target(package, target, how)

    def _target(self, package: Package, target: str, how: str) -> Resolution:
        found = self._exact(posixpath.join(package.folder, _of_url(target)))
        if isinstance(found, Missing) and how == "require" and not found.folder:
            return Missing(found.text)
        return found

    def _imports(self, name: str, folder: str, how: str) -> Resolution:
        package = self._packages.scope_of(posixpath.join(self._normal(folder), "x"))
        if package is None or package.is_broken:
            return UNSURE
        try:
            target = target_of_imports(package.imports, name, self._conditions[how])
        except NotExportedError:
            where = posixpath.join(package.folder, "package.json")
            return Missing(f'{where} has no {name} in its "imports"', "TypeError")
        if target.startswith("./"):
            return self._target(package, target, how)
        if target.startswith("#"):
            return UNSURE
        if how == "require":
            return self.require(target, package.folder)
        return self.import_(target, package.folder)

    def _exact(self, path: str) -> Resolution:
        node = self._find(path)
        if node and node.kind is FileKind.DIRECTORY:
            text = f"{node.path} is a folder, and an ES module imports no folders"
            return Missing(text, "Error", folder=node.path)
        if node and not path.endswith("/"):
            return node
        return Missing(self._why_not(path) or f"{self._normal(path)} is not in the image", "Error")

    def _why_not(self, path: str) -> str:
        """Name a symlink that leads nowhere, for one who looks for why a path does."""
        link = self._files.find_link(path.rstrip("/"))
        if link and link.kind is FileKind.SYMLINK and not self._files.find(link.path):
            return f"{link.path} is a symlink to {link.entry.target}, which is not in the image"
        return ""

    def _normal(self, path: str) -> str:
        """Return where a path leads; as it is where that is nowhere."""
        node = self._files.find(path)
        return node.path if node else posixpath.normpath(path)


def refusal_of(package: Package, how: str, node: NodeRuntime) -> str:
    """Return what a client reports of a package.json that Node refuses; empty where it may not."""
    is_old = node.version is not None and node.version < (21, 0)
    if not (package.is_refused or (package.is_broken and is_old)):
        return ""
    return "Runtime.UserCodeSyntaxError" if is_old and how == "require" else "Error"


def _split(name: str) -> tuple[str, str]:
    parts = name.split("/")
    count = 2 if name.startswith("@") else 1
    rest = "/".join(parts[count:])
    return "/".join(parts[:count]), f"./{rest}" if rest else "."


def _node_modules(folder: str) -> list[str]:
    """NODE_MODULES_PATHS."""
    parts = folder.strip("/").split("/") if folder.strip("/") else []
    paths = []
    for count in range(len(parts), -1, -1):
        if count and parts[count - 1] == "node_modules":
            continue
        paths.append("/" + "/".join([*parts[:count], "node_modules"]))
    return paths


def _of_url(specifier: str) -> str:
    return unquote(specifier.partition("?")[0].partition("#")[0])
