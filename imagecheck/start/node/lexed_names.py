"""Names of a CommonJS module that ``import { name }`` cannot have, since Node does not see them.

Before it runs a CommonJS module, Node looks through its text for the forms in which names are
exported: https://nodejs.org/api/esm.html#commonjs-namespaces . A name in none of them is not an
export, even if the object has it later.
"""

import re
from typing import Final

_PASSES_ON: Final = re.compile(
    rb"exports\s*(?:\)\s*)?=\s*(?:[\w$.]+\s*\(\s*)*require\b|__export|_export|__reExport|tslib"
    rb"|\.\.\.\s*require|exports\s*/[*/]|exports\s*\\|exports\s*[.\[,=][^;\n]{0,200}\\u"
    rb"|Object\s*\.\s*keys\s*\(\s*[\w$]+\s*\)\s*\.\s*forEach\s*\(\s*function"
)
"""Forms in which a module may pass on the names of another one, or that are read only by care."""
_LITERAL: Final = re.compile(rb"exports\s*=\s*\{")
_MEMBER: Final = re.compile(
    rb"\s*(?:\.\.\.\s*[\w$.]+|(?P<name>[\w$]+|'[^'\\\n]*'|\"[^\"\\\n]*\")\s*"
    rb"(?P<pair>:\s*(?P<value>[A-Za-z_$][\w$]*)?)?)?\s*(?P<end>[\s\S])"
)
ALWAYS: Final = frozenset({"default", "module.exports", "__esModule"})


def is_never_seen(text: bytes, name: str) -> bool:
    """Whether Node certainly finds no export of that name in a CommonJS module."""
    if name in ALWAYS or _PASSES_ON.search(text):
        return False
    word = re.escape(name.encode())
    if any(_may_name(text, match.end(), name.encode()) for match in _LITERAL.finditer(text)):
        return False
    form = (
        rb"exports\s*\.\s*" + word + rb"(?![\w$])"
        rb"|exports\s*\[\s*['\"]" + word + rb"['\"]"
        rb"|defineProperty\s*\(\s*(?:module\s*\.\s*)?exports\s*,\s*['\"]" + word + rb"['\"]"
    )
    return re.search(form, text) is None


def _may_name(text: bytes, at: int, name: bytes) -> bool:
    """Whether Node may see a name in the object that begins there.

    It reads on as long as each value is a plain name, and no further:
    https://github.com/nodejs/cjs-module-lexer tryParseLiteralExports .
    """
    while match := _MEMBER.match(text, at):
        at = match.end()
        key, pair, value = match["name"], match["pair"], match["value"]
        if b"/" in match[0]:
            # A comment.
            return True
        if key and (not pair or value) and key.strip(b"'\"") == name:
            return True
        if match["end"] != b",":
            break
    return False
