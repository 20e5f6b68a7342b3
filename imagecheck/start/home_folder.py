"""Modules that make folders in the user's home as they are imported."""

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from imagecheck.subject import Subject

_HOME: Final = re.compile(rb"expanduser|Path\.home\(")
_MAKES: Final = {"makedirs", "mkdir"}
_MAX_MODULES: Final = 2000
_MAX_BYTES: Final = 256 * 1024


def makers_of_home_folders(subject: "Subject") -> Iterator[str]:
    """Return the Python files that are loaded for certain and do so. Raises ImageReadError."""
    nodes = [
        node
        for node in subject.judgement.loaded[:_MAX_MODULES]
        if node.path.endswith(".py") and node.entry.size <= _MAX_BYTES
    ]
    for path, text in subject.contents(nodes).items() if nodes else ():
        subject.budget.spend(len(text) // 100)
        if _HOME.search(text) and any(name.encode() in text for name in _MAKES):
            try:
                tree = ast.parse(text)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                continue
            if any(_makes_folder(statement) for statement in tree.body):
                yield path


def _makes_folder(statement: ast.stmt) -> bool:
    """Whether a statement of a module's top level makes a folder, with nothing to catch it."""
    if not isinstance(statement, ast.Expr | ast.Assign | ast.If | ast.With):
        return False
    calls = (node.func for node in ast.walk(statement) if isinstance(node, ast.Call))
    names = (f.attr if isinstance(f, ast.Attribute) else getattr(f, "id", "") for f in calls)
    return any(name in _MAKES for name in names)
