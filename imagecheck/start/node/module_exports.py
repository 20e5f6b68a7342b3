"""The exports of a module, with those that it passes on of others."""

import posixpath
from typing import Final

from imagecheck.image.filesystem import Node
from imagecheck.start.node.commonjs_exports import commonjs_exports
from imagecheck.start.node.exports import Exports
from imagecheck.start.node.loader import Loader
from imagecheck.start.node.module_kind import How, ModuleKind
from imagecheck.start.node.names import exported

_MAX_DEPTH: Final = 12


def exports_of(loader: Loader, node: Node, how: How, depth: int = 0) -> Exports:
    """Return what a module exports, with what it passes on of others."""
    unknown = Exports(is_complete=False)
    text = loader.context.sources.text(node)
    if depth > _MAX_DEPTH or text is None or node.path.endswith((".json", ".node")):
        return unknown
    root, kind = loader.kind(node, how)
    if root is None or root.has_error:
        return unknown
    if kind is ModuleKind.COMMONJS:
        found = commonjs_exports(root, loader.context.budget)
        others, way = found.others, "require"
    elif kind is ModuleKind.MODULE:
        statements = exported(root)
        found = Exports(dict(statements.names))
        others, way = statements.stars, "import"
        if "module.exports" in found.names:
            found.is_complete = False
    else:
        return unknown
    folder = posixpath.dirname(node.path)
    for name in dict.fromkeys(others):
        other_how: How = "import" if way == "import" else "require"
        other = loader.resolve(name, folder, other_how)
        if not isinstance(other, Node):
            found.is_complete = False
            continue
        more = exports_of(loader, other, other_how, depth + 1)
        found.is_complete &= more.is_complete
        for key, value in more.names.items():
            if key != "default" or other_how == "require":
                found.names.setdefault(key, value)
    return found
