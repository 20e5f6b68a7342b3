"""Paths that a module puts together from its own folder.

require(__dirname + "/config.js")
fs.readFileSync(path.join(__dirname, "templates", "mail.html"))
readFileSync(new URL("./schema.graphql", import.meta.url))
"""

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tree_sitter import Node

from imagecheck.start.node.names import declared, is_constant
from imagecheck.start.node.parse import arguments_of, string_of, text_of, unwrapped

_OF: Final = r"(?:\(0, ?)?(?:require\(['\"][\w:/]+['\"]\)\.)?(?:[\w$]+\.)*"
_JOINS: Final = re.compile(_OF + r"(join|resolve)\)?")
_TO_PATHS: Final = re.compile(_OF + r"fileURLToPath\)?")
_ADDRESS: Final = re.compile(r"import\.meta\.(?:url|dirname)")
_MAX_DEPTH: Final = 12


@dataclass(frozen=True)
class ModuleContext:
    """Where a module is, and what it is started with."""

    folder: str
    workdir: str
    environment: Mapping[str, str]


def path_of(value: Node, root: Node, place: ModuleContext) -> str | None:
    """Return the absolute path that an expression stands for; None where it is not known."""
    path = StaticPaths(root, place).of(value)
    return path if path and path.startswith("/") else None


class StaticPaths:
    """The paths that expressions of one module stand for."""

    def __init__(self, root: Node, place: ModuleContext) -> None:
        self._place = place
        self._constants: dict[str, Node | None] = {}
        for name, kind, node in declared(root):
            is_known = name not in self._constants and kind == "let" and is_constant(node)
            self._constants[name] = node if is_known else None

    def of(self, value: Node, depth: int = 0) -> str | None:
        """Return the text of an expression, as far as it is known without running it."""
        value = unwrapped(value)
        if depth > _MAX_DEPTH:
            return None
        if (text := string_of(value)) is not None:
            return text
        if value.type in {"identifier", "member_expression"}:
            return self._named(value, depth)
        if value.type == "binary_expression" and text_of(value.child(1)) == "+":
            return self._all([value.named_children[0], value.named_children[-1]], depth)
        ways = {
            "template_string": self._template,
            "call_expression": self._call,
            "new_expression": self._address,
        }
        way = ways.get(value.type)
        return way(value, depth) if way else None

    def _named(self, value: Node, depth: int) -> str | None:
        name = text_of(value)
        if name == "import.meta.dirname":
            return self._place.folder
        if name == "process.env.LAMBDA_TASK_ROOT":
            return self._place.environment.get("LAMBDA_TASK_ROOT")
        if name not in self._constants:
            return self._place.folder if name == "__dirname" else None
        meant = self._constants[name]
        if name == "__dirname" and meant and _ADDRESS.search(text_of(meant)):
            # As people write it in ES modules, in a dozen ways.
            return self._place.folder
        return self.of(meant, depth + 1) if meant else None

    def _template(self, value: Node, depth: int) -> str | None:
        parts: list[str | None] = []
        at = value.start_byte + 1
        whole = value.text or b""
        for child in value.named_children:
            if child.type != "template_substitution":
                continue
            before = whole[at - value.start_byte : child.start_byte - value.start_byte]
            inner = child.named_child(0)
            parts += [
                before.decode("utf-8", "replace"),
                self.of(inner, depth + 1) if inner else None,
            ]
            at = child.end_byte
        parts.append(whole[at - value.start_byte : -1].decode("utf-8", "replace"))
        known = [part for part in parts if part is not None and "\\" not in part]
        return "".join(known) if len(known) == len(parts) else None

    def _call(self, value: Node, depth: int) -> str | None:
        function = text_of(value.child_by_field_name("function"))
        given = arguments_of(value)
        if function == "process.cwd" and not given:
            return self._place.workdir or "/"
        if _TO_PATHS.fullmatch(function) and len(given) == 1:
            return self.of(given[0], depth + 1)
        match = _JOINS.fullmatch(function)
        parts = [self.of(one, depth + 1) for one in given]
        known = [part for part in parts if part is not None]
        if not match or not known or len(known) < len(parts):
            return None
        if match[1] == "join":
            return posixpath.normpath("/".join(part for part in known if part))
        return posixpath.normpath(posixpath.join(self._place.workdir or "/", *known))

    def _address(self, value: Node, depth: int) -> str | None:
        """Read ``new URL("./x", import.meta.url)``."""
        given = arguments_of(value)
        is_own = (
            text_of(value.child_by_field_name("constructor")) == "URL"
            and len(given) == 2  # noqa: PLR2004  (what, and from where)
            and text_of(given[1]) == "import.meta.url"
        )
        path = self.of(given[0], depth + 1) if is_own else None
        if path is None or ":" in path or "%" in path or "?" in path:
            return None
        return posixpath.normpath(posixpath.join(self._place.folder, path))

    def _all(self, nodes: list[Node], depth: int) -> str | None:
        parts = [self.of(node, depth + 1) for node in nodes]
        known = [part for part in parts if part is not None]
        return "".join(known) if len(known) == len(parts) else None
