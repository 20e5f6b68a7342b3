"""Files that a module reads while it loads, by functions of the file system."""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from tree_sitter import Node

from imagecheck.budget import Budget
from imagecheck.start.node.conditions import decided
from imagecheck.start.node.names import declared
from imagecheck.start.node.parse import arguments_of, running, text_of
from imagecheck.start.node.static_paths import ModuleContext, StaticPaths

_FS: Final = r"['\"](?:node:)?(?:fs(?:/promises)?|fs-extra|graceful-fs)['\"]"
_FUNCTION: Final = re.compile(rf"(?:\(0, ?)?(?P<first>require\({_FS}\)|[\w$]+)(?:\.[\w$]+)*\)?")
_READS: Final = re.compile(
    r"(?:.*\.|\(0, ?)?(?:readFile|readdir|stat|lstat|access|realpath|opendir)(?P<sync>Sync)?\)?",
    re.DOTALL,
)
_WORDS: Final = (b"readFile", b"readdir", b"stat", b"access", b"realpath", b"opendir")
_MODULE: Final = re.compile(_FS)
_REQUIRED: Final = re.compile(rf"(?:[\w$.]+\()*require\({_FS}\)[\w$.)]*")
_MAX_NAME_BYTES: Final = 200
_ANYTHING: Final = re.compile(r"(?:/tmp|/mnt|/proc|/dev|/sys|/etc|/run|/var/run|/home)(?:/|$)")
"""Where a file can be that the image does not show."""


@dataclass(frozen=True)
class Read:
    """A file or folder that a module reads for certain while it loads."""

    path: str
    line: int


def reads(root: Node, text: bytes, place: ModuleContext, budget: Budget) -> Iterator[Read]:
    """Find the files that a module reads for certain while it loads, and does not do without."""
    if b"fs" not in text or not any(word in text for word in _WORDS):
        return
    values = StaticPaths(root, place)
    names = _names_of_fs(root)
    decide = partial(decided, environment=place.environment)
    for node in running(root, budget, decide):
        if node.type != "call_expression" or not _is_read(node, names):
            continue
        given = arguments_of(node)
        if len(given) > 1 and re.search(r"flag|throwIfNoEntry", text_of(given[1])):
            continue
        path = values.of(given[0]) if given else None
        if path is None:
            continue
        whole = posixpath.normpath(posixpath.join(place.workdir or "/", path))
        if not _ANYTHING.match(whole):
            yield Read(whole, node.start_point[0] + 1)


def _is_read(call: Node, names: set[str]) -> bool:
    """Whether it is the file system's, and not of something else with such a function."""
    callee = call.child_by_field_name("function")
    if callee is None or callee.end_byte - callee.start_byte > _MAX_NAME_BYTES:
        return False
    function = text_of(callee)
    called, reads = _FUNCTION.fullmatch(function), _READS.fullmatch(function)
    if not called or not reads or not (called["first"] in names or "(" in called["first"]):
        return False
    is_awaited = call.parent is not None and call.parent.type == "await_expression"
    return bool(reads["sync"]) or is_awaited


def _names_of_fs(root: Node) -> set[str]:
    """Return what a module calls the file system, and the functions that it takes from it."""
    return {name for name, kind, node in declared(root) if _is_of_fs(kind, node)}


def _is_of_fs(kind: str, node: Node) -> bool:
    if kind == "import":
        return bool(_MODULE.fullmatch(text_of(node.child_by_field_name("source"))))
    value = node.child_by_field_name("value") or node
    is_short = value.end_byte - value.start_byte < _MAX_NAME_BYTES
    return is_short and bool(_REQUIRED.fullmatch(text_of(value)))
