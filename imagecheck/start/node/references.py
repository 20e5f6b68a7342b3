"""Uses in an ES module of names that only CommonJS has."""

import re
from typing import Final

from tree_sitter import Node

from imagecheck.budget import Budget
from imagecheck.start.node.names import declared
from imagecheck.start.node.parse import running, text_of

_WORDS: Final = frozenset({"exports", "module", "require", "__dirname", "__filename"})
_MADE_GLOBAL = re.compile(
    rb"\b(?:globalThis|global|self)\b\s*(?:\.|\[\s*['\"])\s*"
    rb"(?:exports|module|require|__dirname|__filename)\b|\bdefineProperty\(\s*global"
)


def commonjs_reference(root: Node, text: bytes, budget: Budget) -> tuple[str, int] | None:
    """Find a word such as ``exports`` that fails for certain while an ES module loads.

    Returns the word and its line.
    """
    if not any(word.encode() in text for word in _WORDS) or _MADE_GLOBAL.search(text):
        return None
    known = {name for name, _, _ in declared(root)}
    wanted = {word for word in _WORDS - known if not _is_declared_somewhere(word, text)}
    if not wanted:
        return None
    for node in running(root, budget):
        if node.type == "identifier" and text_of(node) in wanted and _is_used(node):
            return text_of(node), node.start_point[0] + 1
    return None


def _is_declared_somewhere(word: str, text: bytes) -> bool:
    return (
        re.search(rb"\b(?:var|let|const|function|class)\s+" + word.encode() + rb"(?![\w$])", text)
        is not None
    )


def _is_used(node: Node) -> bool:
    holder = node.parent
    if holder is None:
        return False
    if holder.type == "unary_expression":
        return text_of(holder.child_by_field_name("operator")) != "typeof"
    name = holder.child_by_field_name("name")
    return name is None or name.id != node.id
