"""Packages that look for their native module while they load, and fail when they find none.

https://github.com/TooTallNate/node-bindings and https://github.com/prebuild/node-gyp-build
"""

import re
from typing import Final

from tree_sitter import Node

from imagecheck.budget import Budget
from imagecheck.image.filesystem import FileSystem
from imagecheck.image.layer import FileKind
from imagecheck.start.node.parse import arguments_of, running, string_of, text_of, unwrapped

_FINDERS: Final = frozenset({"bindings", "node-gyp-build"})
_MAX_FILES: Final = 5000
_MAY_FIND = re.compile(rb"['\"](?:bindings|node-gyp-build)['\"]")


def finds_its_own(root: Node, text: bytes, budget: Budget) -> bool:
    """Whether a module asks one of the finders for certain, in its own package."""
    if not _MAY_FIND.search(text):
        return False
    finders: set[str] = set()
    for node in running(root, budget):
        if node.type == "variable_declarator" and _finder(node.child_by_field_name("value")):
            finders.add(text_of(node.child_by_field_name("name")))
        elif node.type == "call_expression" and _asks(node, finders):
            return True
    return False


def has_no_addon(files: FileSystem, folder: str) -> bool:
    """Whether there is no ``.node`` file in a package, nor a link that one may be behind."""
    start = files.find(folder)
    waiting = [start] if start else []
    count = 0
    while waiting:
        for name, child in waiting.pop().children.items():
            count += 1
            if count > _MAX_FILES or child.kind is FileKind.SYMLINK or name.endswith(".node"):
                return False
            if child.kind is FileKind.DIRECTORY and name != "node_modules":
                waiting.append(child)
    return start is not None


def _asks(call: Node, finders: set[str]) -> bool:
    function = call.child_by_field_name("function")
    if function is None:
        return False
    inner = unwrapped(function)
    name = _finder(inner) or (inner.type == "identifier" and text_of(inner) in finders)
    given = arguments_of(call)
    # What else they are given may name another place.
    return bool(name and len(given) == 1) and (
        string_of(given[0]) is not None or "__dirname" in text_of(given[0])
    )


def _finder(node: Node | None) -> str:
    """Return the name of the finder that is required there."""
    if node is None or node.type != "call_expression":
        return ""
    given = arguments_of(node)
    if text_of(node.child_by_field_name("function")) != "require" or len(given) != 1:
        return ""
    name = string_of(given[0]) or ""
    return name if name in _FINDERS else ""
