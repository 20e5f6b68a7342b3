"""Rows E1 to E4 for Node: what aws-lambda-ric does with the handler's name.

https://github.com/aws/aws-lambda-nodejs-runtime-interface-client/blob/main/src/UserFunction.js
"""

import posixpath
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from imagecheck.image.filesystem import FileSystem, Node
from imagecheck.image.layer import Kind
from imagecheck.start.handler import Handler
from imagecheck.start.judged import Judged, judged

if TYPE_CHECKING:
    from imagecheck.subject import Subject

_ENDINGS = ("", ".js", ".mjs", ".cjs")
_ESM = re.compile(rb"^\s*(?:import\s+[\w{*\"']|export\s+[\w{*])", re.MULTILINE)
_CJS = re.compile(rb"^\s*(?:module\.)?exports\b", re.MULTILINE)


def node_handler(subject: "Subject", handler: Handler) -> Iterator[Judged | Node | str]:
    """Judge a handler such as ``dist/index.handler``.

    What a module exports, and in which of its two kinds, is decided when it runs; what its text
    suggests is only a warning.
    """
    name = handler.name
    folder, base = posixpath.split(name)
    stem, dot, function = base.partition(".")
    if ".." in name or not dot:
        yield judged(
            "E1",
            f"the handler {name!r} is not file.function, and may not have '..' in it",
            'CMD ["index.handler"]',
        )
        return
    files = subject.files
    assert files  # noqa: S101  (there is no handler without files)
    wanted = [posixpath.join(root, folder, stem) for root in subject.task_roots]
    node = _module(files, wanted)
    if node is None:
        endings = " or ".join(ending for ending in _ENDINGS if ending)
        yield judged(
            "E2",
            f"there is no {', '.join(wanted) or stem} with {endings}",
            "COPY it into the image, or correct the handler in CMD",
        )
        return
    text = subject.contents([node])[node.path]
    if function.partition(".")[0].encode() not in text:
        found = f"{node.path} does not mention {function!r}, so it may not export it"
        yield judged("E3", found, f"export {function} there", severity="warning")
    is_esm = node.path.endswith(".mjs") or (
        node.path.endswith(".js") and _type_of(subject, files, node) == "module"
    )
    if node.path.endswith((".js", ".mjs", ".cjs")) and (
        (is_esm and _CJS.search(text)) or (not is_esm and _ESM.search(text))
    ):
        kind = "an ES module" if is_esm else "CommonJS"
        found = f"{node.path} is loaded as {kind}, and its text is of the other kind"
        yield judged(
            "E4", found, 'set "type" in package.json, or name it .mjs or .cjs', severity="warning"
        )


def _module(files: FileSystem, wanted: list[str]) -> Node | None:
    for path in wanted:
        for ending in _ENDINGS:
            node = files.find(path + ending)
            if node and node.kind is Kind.FILE:
                return node
        if index := files.find(f"{path}/index.js"):
            return index
    return None


def _type_of(subject: "Subject", files: FileSystem, node: Node) -> str:
    """Return the "type" of the nearest package.json."""
    folder = posixpath.dirname(node.path)
    while True:
        package = files.find(posixpath.join(folder, "package.json"))
        if package:
            try:
                content = msgspec.json.decode(subject.contents([package])[package.path])
                return str(content.get("type", "commonjs"))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, AttributeError):
                return "commonjs"
        if folder == "/":
            return "commonjs"
        folder = posixpath.dirname(folder)
