"""The strings of Python sources."""

import ast
from collections.abc import Iterable, Iterator


def strings_of(tree: ast.AST, filled_in: str, but: Iterable[ast.AST] = ()) -> Iterator[str]:
    """Yield the strings of a syntax tree, but some; what an f-string fills in is ``filled_in``."""
    left_out = set(but)
    for node in ast.walk(tree):
        match node:
            case ast.JoinedStr(values=values):
                left_out.update(values)
                yield "".join(
                    str(value.value) if isinstance(value, ast.Constant) else filled_in
                    for value in values
                )
            case ast.Constant(value=str(text)) if node not in left_out:
                yield text
