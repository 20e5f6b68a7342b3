"""The imports that a module makes while it is imported, in order, and what it asks of each."""

import ast
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from imagecheck.start.python.conditions import decided

_CATCH_ALL = {"Exception", "BaseException", "AttributeError"}
_Guard = Literal["", "import", "any"]


class ModuleUse(NamedTuple):
    """A module that is imported, and what is asked of it while that goes on."""

    name: str
    line: int
    wanted: frozenset[str]
    needs_parents: bool = True
    """Whether it fails when what a dotted name begins with has no such module."""

    def of_part(self, part: str) -> "ModuleUse":
        """Return the use of a package that a dotted name makes: it needs that module of it."""
        return self._replace(wanted=frozenset({part} if self.needs_parents else ()))


def module_uses(tree: ast.Module, package: str, minor: int | None) -> Iterator[ModuleUse]:
    """Yield what is imported while a module is, in order, and what is asked of it then."""
    asked = _asked(tree)
    for statement, guard in _statements(tree.body, minor):
        match statement:
            case ast.Import(names=names):
                for alias in names:
                    called = alias.asname or alias.name.partition(".")[0]
                    is_plain = alias.asname or "." not in alias.name
                    is_asked = is_plain and guard != "any"
                    wanted = frozenset(asked.get(called, ()) if is_asked else ())
                    yield ModuleUse(alias.name, statement.lineno, wanted, needs_parents=not guard)
            case ast.ImportFrom(module=module, level=level, names=names):
                base = module or ""
                if level:
                    kept = package.split(".")[: len(package.split(".")) - level + 1]
                    base = ".".join([*kept, *([base] if base else [])])
                wanted = frozenset(alias.name for alias in names) - {"*"}
                needs = frozenset() if guard else wanted
                yield ModuleUse(base, statement.lineno, needs, needs_parents=not guard)
                for alias in names:
                    # The name may be that of a module; whether it is missed, is said above.
                    name = f"{base}.{alias.name}"
                    yield ModuleUse(name, statement.lineno, frozenset(), needs_parents=False)


def _caught(handlers: Iterable[ast.ExceptHandler]) -> _Guard:
    """Say which failures of an import are caught: none, that of the import, or any."""
    guard: _Guard = ""
    for handler in handlers:
        if handler.type is None:
            return "any"
        names = {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)}
        if names & _CATCH_ALL:
            return "any"
        guard = "import"
    return guard


def _statements(
    body: Iterable[ast.stmt], minor: int | None, guard: _Guard = ""
) -> Iterator[tuple[ast.stmt, _Guard]]:
    """Yield the statements that run, and what is caught of what they raise."""
    for statement in body:
        match statement:
            case ast.If(test=test, body=inner, orelse=otherwise):
                holds = decided(test, minor)
                if holds is not None:
                    yield from _statements(inner if holds else otherwise, minor, guard)
            case ast.Try(body=inner, handlers=handlers, finalbody=last):
                own = _caught(handlers)
                yield from _statements(inner, minor, own if guard != "any" and own else guard)
                yield from _statements(last, minor, guard)
            case ast.ClassDef(body=inner) | ast.With(body=inner):
                yield from _statements(inner, minor, guard)
            case _:
                yield statement, guard


def _asked(tree: ast.Module) -> dict[str, set[str]]:
    """Find the attributes of names that are asked for while the module is imported."""
    asked: dict[str, set[str]] = {}
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attribute):
                asked.setdefault(name, set()).add(attribute)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                waiting += [*node.decorator_list, *node.args.defaults]
                waiting += [one for one in node.args.kw_defaults if one]
                continue
            case ast.Lambda():
                continue
            case ast.If() | ast.Try():
                # Not for certain: only the body of a try is run, and that is guarded.
                waiting += node.body if isinstance(node, ast.Try) else []
                continue
        waiting.extend(ast.iter_child_nodes(node))
    return asked
