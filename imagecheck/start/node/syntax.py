"""Syntax errors that Node certainly reports.

tree-sitter finds its way around what it does not know, which can also be syntax that is newer than
its grammar. So what it marks counts only where nothing of that kind is near.
"""

import re
from collections.abc import Iterator

from tree_sitter import Node, Query

from imagecheck.budget import Budget
from imagecheck.start.node.awaits import awaits_outside
from imagecheck.start.node.imports import asserts_type
from imagecheck.start.node.names import declared, exported
from imagecheck.start.node.parse import LANGUAGE, captures, may_leave, text_of
from imagecheck.start.node.version import Version

_NOT_OF_NODE = Query(
    LANGUAGE, "[(jsx_element) (jsx_self_closing_element)] @JSX (decorator) @decorator"
)
"""What the grammar knows and no Node does."""
_NEWER = Query(LANGUAGE, "(using_declaration) @using (regex_pattern) @pattern")
_MODIFIERS = re.compile(r"(?<!\\)\(\?(?:[ims]+(?:-[ims]*)?|-[ims]+):")
_CLASS = re.compile(r"\[(?:\\.|[^\]\\])*\]", re.DOTALL)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_MAY_BE_ANOTHER = re.compile(rb"@[\w(]|</|/>")
_NEW_OR_ODD = re.compile(
    rb"\b(?:using|yield|accessor|defer|source)\b|\)\]?\}?\s*=[^=>]"
    rb"|<!--|-->|/[vu]\b|\\u|\bexport\s*\{|\bimport\s*[\w{*]|\xe2\x80[\xa8\xa9]|\x00|\b0\d"
)
"""What tree-sitter's grammar has wrong, or may not know yet."""
_LINES_AROUND = 2
_LONG_LINE = 400


def fault_of_version(root: Node, text: bytes, version: Version | None) -> str:
    """Return what a file has that the Node of the image is too old or too new for."""
    if version is None:
        return ""
    if version >= (22, 0) and b"assert" in text:
        for statement in root.named_children:
            if statement.type == "import_statement" and asserts_type(statement):
                line = statement.start_point[0] + 1
                return f"line {line} says assert, which this Node does not know: it is with now"
    if b"using" in text or b"(?" in text:
        newer = captures(_NEWER, root)
        if version < (24, 0) and (found := newer.get("using")):
            return f"line {found[0].start_point[0] + 1} has a using, which needs Node 24"
        if version < (23, 0):
            for pattern in newer.get("pattern", []):
                if _MODIFIERS.search(_CLASS.sub("", text_of(pattern))):
                    line = pattern.start_point[0] + 1
                    return f"line {line} has modifiers in a regular expression: they need Node 23"
    return ""


def syntax_fault(
    root: Node, text: bytes, budget: Budget, *, is_module: bool, may_be_module: bool
) -> str:
    """Return what is wrong with a file, and in which line; empty where nothing is for certain.

    ``may_be_module``: it has no syntax of ES modules, but Node may find that it needs to be one.
    """
    budget.spend(root.descendant_count // 4)
    if root.has_error:
        return _of_grammar(root, text)
    for fault in (
        _of_another_language(root) if _MAY_BE_ANOTHER.search(text) else "",
        _late_hash_bang(root, text),
        _declared_twice(root, is_module=is_module or may_be_module),
        _await_outside(root, is_module=is_module or may_be_module) if b"await" in text else "",
        _of_module(root) if is_module else "",
    ):
        if fault:
            return fault
    return ""


def _of_grammar(root: Node, text: bytes) -> str:
    error = _first_error(root)
    if error is None:
        return ""
    lines = text.split(b"\n")
    line = error.start_point[0]
    around = b"\n".join(lines[max(0, line - _LINES_AROUND) : line + _LINES_AROUND])
    if len(around) > _LONG_LINE:
        around = text[max(0, error.start_byte - _LONG_LINE // 2) :][:_LONG_LINE]
    if _is_cut_off(root, text) or re.search(rb"^(?:<{7}|={7}|>{7})(?: |$)", around, re.MULTILINE):
        return f"line {line + 1} is not valid JavaScript"
    if _NEW_OR_ODD.search(around):
        return ""
    return f"line {line + 1} is not valid JavaScript"


def _first_error(root: Node) -> Node | None:
    node = root
    while not (node.is_error or node.is_missing):
        inner = next((c for c in node.children if c.has_error or c.is_missing), None)
        if inner is None:
            return None if node is root else node
        node = inner
    return node


def _is_cut_off(root: Node, text: bytes) -> bool:
    """Whether the text ends with brackets open, as that of a file that is cut off."""
    opened: list[str] = []
    pairs = {"}": "{", ")": "(", "]": "["}
    waiting = [root]
    while waiting:
        node = waiting.pop()
        kind = node.type
        if kind in {"string", "regex", "comment"}:
            continue
        if kind in {"{", "(", "[", "${"} and not node.is_missing:
            opened.append("{" if kind == "${" else kind)
        elif kind in pairs and not node.is_missing and (not opened or opened.pop() != pairs[kind]):
            return False
        waiting.extend(reversed(node.children))
    return bool(opened) and text.count(b"/") < len(text) // 8


def _of_another_language(root: Node) -> str:
    found = captures(_NOT_OF_NODE, root)
    lines = sorted((nodes[0].start_point[0] + 1, what) for what, nodes in found.items() if nodes)
    return f"line {lines[0][0]} has a {lines[0][1]}, which has to be compiled" if lines else ""


def _late_hash_bang(root: Node, text: bytes) -> str:
    start = len(_BYTE_ORDER_MARK) if text.startswith(_BYTE_ORDER_MARK) else 0
    for node in root.named_children if b"#!" in text else ():
        if node.type == "hash_bang_line" and node.start_byte > start:
            return f"line {node.start_point[0] + 1} is a #! line, which only the first may be"
    return ""


def _declared_twice(root: Node, *, is_module: bool) -> str:
    kinds: dict[str, str] = {}
    for name, kind, node in declared(root):
        if kind == "function" and not is_module:
            kind = "var"  # noqa: PLW2901  (in a script a function is like a var)
        before = kinds.get(name)
        if before and not before == kind == "var":
            return f"line {node.start_point[0] + 1} declares {name!r} a second time"
        kinds[name] = kind
    return ""


def _await_outside(root: Node, *, is_module: bool) -> str:
    for node, is_at_the_top in awaits_outside(root):
        if not (is_module and is_at_the_top):
            return f"line {node.start_point[0] + 1} has an await that is in no async function"
    return ""


def _of_module(root: Node) -> str:
    names = {name for name, _, _ in declared(root)}
    for name, specifier in exported(root).local.items():
        if name not in names and not _is_var_below(root, name):
            return f"line {specifier.start_point[0] + 1} exports {name!r}, which is not defined"
    for statement in _returns(root):
        return f"line {statement.start_point[0] + 1} has a return outside of a function"
    return ""


def _is_var_below(root: Node, name: str) -> bool:
    """Whether a ``var`` of that name may be in a block, from where it belongs to the module."""
    return re.search(rb"\b(?:var|function)\b", root.text or b"") is not None and any(
        child.type not in {"import_statement", "export_statement"}
        and re.search(rb"\bvar\b[^;]*\b" + re.escape(name.encode()) + rb"\b", child.text or b"")
        for child in root.named_children
    )


def _returns(root: Node) -> Iterator[Node]:
    for statement in root.named_children:
        if statement.type == "return_statement" or (
            statement.type == "if_statement"
            and may_leave(statement)
            and "return" in text_of(statement).partition("function")[0].partition("=>")[0]
            and _has_return(statement)
        ):
            yield statement


def _has_return(statement: Node) -> bool:
    waiting = [statement]
    while waiting:
        node = waiting.pop()
        if node.type == "return_statement":
            return True
        if node.type in {"if_statement", "statement_block", "else_clause"}:
            waiting.extend(node.named_children)
    return False
