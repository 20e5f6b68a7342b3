"""Conditions in Python that are decided before it runs: its version, its platform."""

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

_LINUX: Final = {"sys.platform": "linux", "os.name": "posix"}
_OPERATORS: Final[Mapping[type[ast.cmpop], Callable[[Any, Any], object]]] = {
    ast.GtE: operator.ge,
    ast.Gt: operator.gt,
    ast.LtE: operator.le,
    ast.Lt: operator.lt,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_MAJOR = 3


def decided(  # noqa: PLR0911  (one a kind of condition)
    test: ast.expr, minor: int | None
) -> bool | None:
    """Return what a condition is under Python 3.``minor`` on Linux; None where it is not plain."""
    match test:
        case ast.Constant(value=value):
            return bool(value)
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return False
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = decided(operand, minor)
            return None if inner is None else not inner
        case ast.BoolOp(op=op, values=values):
            return _bool(op, [decided(value, minor) for value in values])
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _compared(ast.unparse(left), op, right, minor)
        case ast.Call(func=func, args=[ast.Constant(value=str(start))]):
            for name, value in _LINUX.items():
                if ast.unparse(func) == f"{name}.startswith":
                    return value.startswith(start)
    return None


def _bool(op: ast.boolop, values: list[bool | None]) -> bool | None:
    strong = isinstance(op, ast.Or)
    if strong in values:
        return strong
    return None if None in values else not strong


def _compared(left: str, op: ast.cmpop, right: ast.expr, minor: int | None) -> bool | None:
    try:
        value = ast.literal_eval(right)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    if left == "__name__":
        return {ast.Eq: False, ast.NotEq: True}.get(type(op)) if value == "__main__" else None
    if left in _LINUX:
        is_same = _LINUX[left] == value
        return {ast.Eq: is_same, ast.NotEq: not is_same}.get(type(op))
    return _version(left, op, value, minor)


def _version(left: str, op: ast.cmpop, value: object, minor: int | None) -> bool | None:
    if minor is None:
        return None
    ours: object = None
    match left, value:
        case "sys.version_info[0]" | "sys.version_info.major", int():
            ours = _MAJOR
        case "sys.version_info[1]" | "sys.version_info.minor", int():
            ours = minor
        case "sys.version_info[:2]", (int(), int()):
            ours = (_MAJOR, minor)
        case "sys.version_info" | "sys.version_info[:2]", (int(),):
            ours = (_MAJOR, minor) if not isinstance(op, ast.Eq | ast.NotEq) else None
        case "sys.version_info", (int(), int()):
            # The whole one is longer: (3, 11, 7) > (3, 11).
            ours = (_MAJOR, minor, 0)
        case _:
            pass
    compare = _OPERATORS.get(type(op))
    return None if compare is None or ours is None else bool(compare(ours, value))
