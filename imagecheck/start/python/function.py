"""The call of a handler's function by AWS's runtime client.

The client passes an event and a context, and makes JSON of the result.

https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html
"""

import ast
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from imagecheck.start.python.code import Code
from imagecheck.start.python.graph import Graph
from imagecheck.start.python.loaded import Loaded
from imagecheck.start.python.modules import Module

MARSHAL_ERROR = "Runtime.MarshalError"
_GIVEN = 2
_MAX_HOPS = 20
_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
_PLAIN = (ast.Constant, ast.List, ast.Dict, ast.Set, ast.Tuple, ast.JoinedStr, ast.ListComp)


class NotCallable(NamedTuple):
    """Why each call of a handler fails."""

    why: str
    fix: str
    error_type: str


def uncallable(  # noqa: PLR0911  (one a kind of statement)
    graph: Graph, loaded: Loaded, name: str
) -> NotCallable | None:
    """Say why each call fails; None where it does not, or where the text does not tell."""
    for _ in range(_MAX_HOPS):
        code = graph.code(loaded)
        if not isinstance(code, Code) or "*" in code.names:
            return None
        found = _only_binding(code.tree.body, name)
        match found:
            case ast.FunctionDef(name=own) | ast.AsyncFunctionDef(name=own) if own == name:
                return None if found.decorator_list else _function(found, loaded)
            case ast.ClassDef(name=own) if own == name and not found.decorator_list:
                return _class(found, loaded)
            case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value):
                if isinstance(value, _PLAIN) and _is_bound_to_it(found, name):
                    return _not_callable(f"{loaded.module.path} binds {name} to no function")
                return None
            case ast.ImportFrom():
                following = _imported(graph, loaded, found, name)
                if following is None:
                    return None
                loaded, name = following
            case _:
                return None
    return None


def _only_binding(body: Iterable[ast.stmt], name: str) -> ast.stmt | None:
    """Return the one statement that binds a name, unless another may bind it too."""
    statements = [statement for statement in body if name in _binds(statement)]
    return statements[0] if len(statements) == 1 else None


def _binds(statement: ast.stmt) -> set[str]:
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            inner = ast.walk(statement)
            others = [node.names for node in inner if isinstance(node, ast.Global)]
            return {statement.name, *(name for names in others for name in names)}
        case ast.ImportFrom(names=names) | ast.Import(names=names):
            return {(alias.asname or alias.name).partition(".")[0] for alias in names}
    named = {
        node.name
        for node in ast.walk(statement)
        if isinstance(node, (*_FUNCTION, ast.ClassDef, ast.ExceptHandler)) and node.name
    }
    imported = {
        (alias.asname or alias.name).partition(".")[0]
        for node in ast.walk(statement)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    written = {
        node.id
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    }
    return named | imported | written


def _is_bound_to_it(statement: ast.Assign | ast.AnnAssign, name: str) -> bool:
    """Whether a name gets the value itself, and not a part of it."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)


def _imported(
    graph: Graph, loaded: Loaded, statement: ast.ImportFrom, name: str
) -> tuple[Loaded, str] | None:
    aliases = [alias for alias in statement.names if (alias.asname or alias.name) == name]
    code = graph.code(loaded)
    if len(aliases) != 1 or not isinstance(code, Code):
        return None
    original = aliases[0].name
    for what in code.imports:
        if what.line == statement.lineno and what.wanted == original:
            other = graph.loaded.get(what.name)
            is_module = isinstance(graph.modules.find(f"{what.name}.{original}"), Module)
            return (other, original) if other and not is_module else None
    return None


def _function(
    function: ast.FunctionDef | ast.AsyncFunctionDef, loaded: Loaded
) -> NotCallable | None:
    where = f"{loaded.module.path}, line {function.lineno}"
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    needed = len(positional) - len(arguments.defaults)
    by_name = [given for given in arguments.kw_defaults if given is None]
    takes_two = len(positional) >= _GIVEN or arguments.vararg
    if not takes_two or needed > _GIVEN or by_name:
        return NotCallable(
            f"{where}: {function.name}({ast.unparse(arguments)}) is called with two arguments, the"
            " event and the context",
            f"define it as def {function.name}(event, context)",
            "TypeError",
        )
    kind = _what_it_returns(function)
    if kind is None:
        return None
    return NotCallable(
        f"{where}: {function.name} {kind}, which is not JSON: the runtime client calls it and waits"
        " for nothing",
        f"define it as def {function.name}(event, context), and run asynchronous code in it with"
        " asyncio.run"
        if isinstance(function, ast.AsyncFunctionDef)
        else "return the answer in place of yielding it",
        MARSHAL_ERROR,
    )


def _what_it_returns(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str | None:
    yields = any(isinstance(node, ast.Yield | ast.YieldFrom) for node in _own_nodes(function))
    if isinstance(function, ast.AsyncFunctionDef):
        return (
            "is asynchronous and gives a generator"
            if yields
            else "is asynchronous and gives a coroutine"
        )
    return "yields and gives a generator" if yields else None


def _own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """Go through a function without the functions and classes in it."""
    waiting = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (*_FUNCTION, ast.ClassDef, ast.Lambda)):
            waiting.extend(ast.iter_child_nodes(node))


def _class(found: ast.ClassDef, loaded: Loaded) -> NotCallable | None:
    """Judge a class: to call it makes an object, which is not JSON."""
    own = {one.name for one in found.body if isinstance(one, _FUNCTION)}
    if found.bases or found.keywords or own & {"__new__", "_asdict", "for_json"}:
        return None
    return NotCallable(
        f"{loaded.module.path}, line {found.lineno}: {found.name} is a class, and an object of it"
        " is not JSON",
        "name a function: handler = The_class().method",
        MARSHAL_ERROR if "__init__" in own else "TypeError",
    )


def _not_callable(why: str) -> NotCallable:
    return NotCallable(why, "bind the name to a function of two arguments", "TypeError")
