"""As what Node loads a file: ES module, CommonJS, or something else.

https://nodejs.org/api/packages.html#determining-module-system
"""

import posixpath
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from tree_sitter import Node as Tree
from tree_sitter import Query

from imagecheck.start.node.awaits import awaits_outside
from imagecheck.start.node.parse import LANGUAGE, captures
from imagecheck.start.node.version import NodeRuntime

How = Literal["require", "import"]
TYPESCRIPT: Final = (".ts", ".mts", ".cts")
_META = Query(LANGUAGE, "(meta_property) @meta")


class ModuleKind(StrEnum):
    """What a file is loaded as."""

    MODULE = "an ES module"
    COMMONJS = "CommonJS"
    JSON = "JSON"
    ADDON = "a native module"
    UNSURE = "unsure"


@dataclass(frozen=True)
class Refused:
    """Node does not load it that way."""

    text: str
    error_type: str
    fix: str = "import it, or use a version of the package that is CommonJS, or a newer Node"


_UNKNOWN_ENDING: Final = Refused(
    "has an ending that import does not know",
    "TypeError",
    "compile it, or read it as a file",
)


def has_module_syntax(root: Tree, text: bytes) -> bool:
    """Whether a file has what only an ES module may have, as Node's detection looks for it."""
    if any(c.type in {"import_statement", "export_statement"} for c in root.named_children):
        return True
    if b"await" in text and not root.has_error and any(top for _, top in awaits_outside(root)):
        return True
    return b"import.meta" in text and any(
        node.text == b"import.meta" for node in captures(_META, root).get("meta", [])
    )


def kind_of(
    path: str, type_: str, how: How, node: NodeRuntime, *, has_syntax: bool
) -> ModuleKind | Refused:
    """Decide as what a file is loaded.

    Args:
        path: the file, without symlinks.
        type_: the ``type`` of the nearest package.json.
        how: by what it is asked for.
        node: which Node it is.
        has_syntax: whether it has what only an ES module may have.

    """
    ending = posixpath.splitext(path)[1]
    if ending in {".json", ".node"}:
        return _of_data(ending, how)
    kind = _by_name(path, type_, how, node, has_syntax=has_syntax)
    if kind is ModuleKind.MODULE and how == "require":
        if node.requires_modules is None:
            return ModuleKind.UNSURE
        if not node.requires_modules:
            return Refused("is an ES module, which this Node does not require()", "Error")
    return kind


def _of_data(ending: str, how: How) -> ModuleKind:
    if ending == ".json":
        return ModuleKind.JSON
    return ModuleKind.ADDON if how == "require" else ModuleKind.UNSURE


def _by_name(
    path: str, type_: str, how: How, node: NodeRuntime, *, has_syntax: bool
) -> ModuleKind | Refused:
    ending = posixpath.splitext(path)[1]
    if ending == ".mjs" or (ending == ".js" and type_ == "module"):
        return ModuleKind.MODULE
    if ending == ".cjs" or (ending == ".js" and type_ == "commonjs"):
        return ModuleKind.COMMONJS
    if ending == ".js" or not ending:
        return _by_syntax(ending, type_, how, node, has_syntax=has_syntax)
    if ending in TYPESCRIPT:
        return _of_typescript(path, how, node)
    if how == "import" and ending != ".wasm":
        return _UNKNOWN_ENDING
    return ModuleKind.COMMONJS if ending != ".wasm" and not has_syntax else ModuleKind.UNSURE


def _of_typescript(path: str, how: How, node: NodeRuntime) -> ModuleKind | Refused:
    """What is in it is not judged: only whether Node takes the file."""
    if node.strips_types and "/node_modules/" in path:
        fix = "compile it, and let its package.json name the JavaScript"
        return Refused("is TypeScript of a package, whose types Node does not strip", "Error", fix)
    is_unknown = node.strips_types is False and how == "import"
    return _UNKNOWN_ENDING if is_unknown else ModuleKind.UNSURE


def _by_syntax(
    ending: str, type_: str, how: How, node: NodeRuntime, *, has_syntax: bool
) -> ModuleKind:
    if type_ == "module":
        return ModuleKind.MODULE if how == "import" else ModuleKind.UNSURE
    if not has_syntax:
        return ModuleKind.COMMONJS
    if node.detects_modules is None or (type_ and not ending):
        return ModuleKind.UNSURE
    return ModuleKind.MODULE if node.detects_modules else ModuleKind.COMMONJS
