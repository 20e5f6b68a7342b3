"""Whether a module exports the function that a handler's name asks for."""

from typing import Final

from tree_sitter import Node as Tree

from imagecheck.image.filesystem import Node
from imagecheck.start.node.client import Found
from imagecheck.start.node.exports import FUNCTIONS, Exports, literal_exports
from imagecheck.start.node.loader import Loader
from imagecheck.start.node.module_exports import exports_of
from imagecheck.start.node.module_kind import Kind
from imagecheck.start.node.names import declared
from imagecheck.start.node.parse import running, text_of, unwrapped
from imagecheck.start.node.sources import package_folder

_CALLBACK: Final = 3
_NO_FUNCTIONS: Final = frozenset(
    {"number", "string", "template_string", "object", "array", "true", "false", "regex"}
)
_NOTHING: Final = frozenset({"undefined", "null", "false"})


def fault_of_function(
    loader: Loader, module: Found, function: str, generation: int | None
) -> tuple[str, str] | None:
    """Say why a module has no such function for the client, and what the client reports."""
    node = module.node
    key, dot, _ = function.partition(".")
    exports = exports_of(loader, node, module.how)
    if key not in exports.names:
        if (
            _may_end(loader, module)
            or not exports.is_complete
            or _may_be_in_default(loader, module, exports, key, generation)
        ):
            return None
        names = ", ".join(sorted(exports.names)[:10])
        has = f"it exports {names}" if names else "it exports nothing"
        return f"{node.path} does not export {key!r}: {has}", "Runtime.HandlerNotFound"
    value = exports.names[key]
    root, _ = loader.kind(node, module.how)
    if dot or value is None or root is None or package_folder(node.path):
        return None
    return _fault_of_value(key, node, _meant(value, root), generation)


def _may_end(loader: Loader, module: Found) -> bool:
    """Whether the module throws, or ends the process, before anybody asks for its function."""
    root, _ = loader.kind(module.node, module.how)
    return root is not None and any(
        node.type == "throw_statement"
        or (
            node.type == "call_expression"
            and text_of(node.child_by_field_name("function")) == "process.exit"
        )
        for node in running(root, loader.world.budget)
    )


def _fault_of_value(
    key: str, node: Node, value: Tree | None, generation: int | None
) -> tuple[str, str] | None:
    if value is None:
        return None
    if value.type in _NO_FUNCTIONS | _NOTHING:
        return f"{key!r} of {node.path} is no function", "Runtime.HandlerNotFound"
    if generation == 4 and _parameters(value) >= _CALLBACK:  # noqa: PLR2004  (the fourth generation)
        found = (
            f"{key!r} of {node.path} takes {_parameters(value)} parameters, so the runtime client"
            " takes it for one with a callback, and refuses it"
        )
        return found, "Runtime.CallbackHandlerDeprecated"
    return None


def _may_be_in_default(
    loader: Loader, module: Found, exports: Exports, key: str, generation: int | None
) -> bool:
    """Whether the client finds it in what the module exports as ``default``: from 4 on."""
    if generation == 3 or "default" not in exports.names:  # noqa: PLR2004  (the third)
        return False
    value = exports.names["default"]
    _, kind = loader.kind(module.node, module.how)
    if kind is not Kind.MODULE or value is None:
        return kind is Kind.MODULE
    if value.type in FUNCTIONS:
        return False
    if value.type == "object":
        inner = literal_exports(value, loader.world.budget)
        return key in inner.names or not inner.is_complete
    return True


def _meant(value: Tree, root: Tree) -> Tree | None:
    """Return the value itself, or what the top-level name that it is stands for."""
    for _ in range(3):
        value = unwrapped(value)
        if value.type == "assignment_expression":
            right = value.child_by_field_name("right")
            if right is None:
                return None
            value = right
        elif value.type == "identifier":
            name = text_of(value)
            found = [(kind, node) for one, kind, node in declared(root) if one == name]
            is_fixed = len(found) == 1 and (found[0][0] == "function" or _is_constant(found[0][1]))
            if not is_fixed:
                return None
            value = found[0][1]
    return value if value.type != "identifier" else None


def _is_constant(value: Tree) -> bool:
    declaration = value.parent.parent if value.parent else None
    return declaration is not None and any(c.type == "const" for c in declaration.children)


def _parameters(function: Tree) -> int:
    """Return the ``length`` of a function: its parameters before a default or the rest."""
    if function.type not in FUNCTIONS:
        return 0
    count = 0
    parameters = function.child_by_field_name("parameters")
    for parameter in parameters.named_children if parameters else ():
        if parameter.type in {"assignment_pattern", "rest_pattern"}:
            break
        count += parameter.type != "comment"
    return count
