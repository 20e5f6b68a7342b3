"""Syntax that came with later versions of Python than the one that reads it.

https://docs.python.org/3/whatsnew/ and ``feature_version`` of https://docs.python.org/3/library/ast.html,
which knows some of it.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from typing import Final

_RELAXED_DECORATORS: Final = 9
_STARS_IN_INDEXES: Final = 11
_FREE_F_STRINGS: Final = 12
_TEMPLATE_STRINGS: Final = 14

_SIGNS: Final = {
    12: re.compile(r"[fF][rR]?['\"]|[rR][fF]['\"]|^\s*type\s+\w|\b(?:def|class)\s+\w+\s*\["),
    13: re.compile(r"\[[^\]]*=[^\]]*\]"),
    14: re.compile(r"[tT][rR]?['\"]|[rR][tT]['\"]|^\s*except\*?\s[^(]*,"),
}
"""What a line can have that each version was the first to understand."""


def may_be_newer(error: SyntaxError, text: bytes, minor: int) -> bool:
    """Whether what this Python does not understand may be right in a later one, 3.``minor``."""
    if "f-string" in error.msg:
        return True
    lines = text.decode("utf-8", "replace").splitlines()
    first = max((error.lineno or 1) - 2, 0)
    near = lines[first : (error.end_lineno or error.lineno or 1) + 1]
    newer = [signs for since, signs in _SIGNS.items() if sys.version_info.minor < since <= minor]
    return any(signs.search(line) for signs in newer for line in near)


def too_new(tree: ast.Module, text: bytes, minor: int) -> SyntaxError | None:
    """Return the error that Python 3.``minor`` has with what this one understands."""
    ours = sys.version_info.minor
    found = _in_tree(tree, text, minor) if minor < ours else None
    if found is None and minor < _FREE_F_STRINGS <= ours:
        found = next(_f_strings(text), None)
    if found is None:
        return None
    what, line, since = found
    error = SyntaxError(f"{what} came with Python 3.{since}, and this is 3.{minor}")
    error.lineno = line
    return error


def _in_tree(tree: ast.Module, text: bytes, minor: int) -> tuple[str, int, int] | None:
    for node in ast.walk(tree):
        match node:
            case (
                ast.FunctionDef(decorator_list=decorators) | ast.ClassDef(decorator_list=decorators)
            ):
                odd = [one for one in decorators if not _is_plain(one)]
                if odd and minor < _RELAXED_DECORATORS:
                    return "a decorator that is any expression", odd[0].lineno, _RELAXED_DECORATORS
            case ast.Subscript(slice=ast.Tuple() as index) if minor < _STARS_IN_INDEXES:
                has_star = any(isinstance(one, ast.Starred) for one in index.elts)
                if has_star and not _has_parentheses(index, text):
                    return "a star in an index", node.lineno, _STARS_IN_INDEXES
            case ast.arg(annotation=ast.Starred()) if minor < _STARS_IN_INDEXES:
                return "a star in an annotation", node.lineno, _STARS_IN_INDEXES
            case ast.expr() if type(node).__name__ == "TemplateStr" and minor < _TEMPLATE_STRINGS:
                return "a template string", node.lineno, _TEMPLATE_STRINGS
    return None


def _is_plain(decorator: ast.expr) -> bool:
    node = decorator.func if isinstance(decorator, ast.Call) else decorator
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _has_parentheses(index: ast.Tuple, text: bytes) -> bool:
    lines = text.splitlines()
    line = lines[index.lineno - 1] if index.lineno <= len(lines) else b""
    return line[index.col_offset : index.col_offset + 1] == b"("


def _f_strings(text: bytes) -> Iterator[tuple[str, int, int]]:
    """Find f-strings with what only 3.12 takes inside of braces: their quote, a backslash, #."""
    # These tokens are there from 3.12 on, and who reads before it finds the error by itself.
    start, end = (getattr(tokenize, name, -1) for name in ("FSTRING_START", "FSTRING_END"))
    middle = getattr(tokenize, "FSTRING_MIDDLE", -1)
    depth = 0
    quote = ""
    try:
        for token in tokenize.tokenize(io.BytesIO(text).readline):
            if token.type == start:
                depth += 1
                if depth == 1:
                    quote = token.string.lstrip("fFrRbBuU")
                    continue
            is_outer = depth == 1 and token.type in (middle, end)
            if depth and not is_outer and _is_odd(token, quote):
                yield "such an f-string", token.start[0], _FREE_F_STRINGS
                return
            if token.type == end:
                depth -= 1
    except (tokenize.TokenError, SyntaxError, UnicodeDecodeError):
        return


def _is_odd(token: tokenize.TokenInfo, quote: str) -> bool:
    is_line = token.type in {tokenize.NL, tokenize.NEWLINE} and len(quote) == 1
    return (
        is_line or token.type == tokenize.COMMENT or quote in token.string or "\\" in token.string
    )
