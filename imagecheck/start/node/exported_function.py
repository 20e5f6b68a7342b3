"""The check that a module exports the function that a handler's name asks for."""

from typing import Final

from tree_sitter import Node as Tree

from imagecheck.image.filesystem import Node
from imagecheck.start.node.client import Found
from imagecheck.start.node.commonjs_exports import literal_exports
from imagecheck.start.node.exports import Exports, is_promise, is_void
from imagecheck.start.node.lexed_names import is_never_seen
from imagecheck.start.node.loader import Loader
from imagecheck.start.node.module_exports import exports_of
from imagecheck.start.node.module_kind import ModuleKind
from imagecheck.start.node.names import declared, is_constant
from imagecheck.start.node.parse import FUNCTIONS, running, text_of, unwrapped
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
    if found := _hidden_in_a_function(loader, module, exports, key, generation):
        return found, "Runtime.HandlerNotFound"
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
    if exports.is_complete and is_void(value):
        return f"{key!r} of {node.path} is undefined", "Runtime.HandlerNotFound"
    return _fault_of_value(key, node, _meant(value, root), generation)


def _hidden_in_a_function(
    loader: Loader, module: Found, exports: Exports, key: str, generation: int | None
) -> str:
    """Say why a client finds nothing of a function that is exported as a whole: from 4 on.

    It imports the module, so what Node sees before it runs CommonJS has names of its own, and the
    rest only the ``default``. There the client looks when that is an object, which no function is.
    The third generation waits for a promise, and this one does not.
    """
    text = loader.context.sources.text(module.node)
    if generation != 4 or module.how != "import" or not exports.is_function or text is None:  # noqa: PLR2004  (the fourth)
        return ""
    if _may_end(loader, module) or not is_never_seen(text, key):
        return ""
    return (
        f"{module.node.path} exports a function or promise as a whole, in which the runtime client"
        f" does not look for {key!r}, and says nowhere module.exports.{key} ="
    )


def _may_end(loader: Loader, module: Found) -> bool:
    """Whether the module throws, or ends the process, before anybody asks for its function."""
    root, _ = loader.kind(module.node, module.how)
    return root is not None and any(
        node.type == "throw_statement"
        or (
            node.type == "call_expression"
            and text_of(node.child_by_field_name("function")) == "process.exit"
        )
        for node in running(root, loader.context.budget)
    )


def _fault_of_value(
    key: str, node: Node, value: Tree | None, generation: int | None
) -> tuple[str, str] | None:
    if value is None:
        return None
    if value.type in _NO_FUNCTIONS | _NOTHING or is_promise(value):
        return f"{key!r} of {node.path} is not a function", "Runtime.HandlerNotFound"
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
    if kind is not ModuleKind.MODULE or value is None:
        return kind is ModuleKind.MODULE
    if value.type in FUNCTIONS:
        return False
    if value.type == "object":
        inner = literal_exports(value, loader.context.budget)
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
        elif value.type in {"identifier", "shorthand_property_identifier"}:
            name = text_of(value)
            found = [(kind, node) for one, kind, node in declared(root) if one == name]
            is_fixed = len(found) == 1 and (found[0][0] == "function" or is_constant(found[0][1]))
            if not is_fixed:
                return None
            value = found[0][1]
    is_name = value.type in {"identifier", "shorthand_property_identifier"}
    return None if is_name else value


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
