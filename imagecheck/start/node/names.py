"""The names that a module declares at its top, and those that it exports by ``export``."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tree_sitter import Node

from imagecheck.start.node.parse import first_of, string_of, text_of, unwrapped

_FUNCTIONS = frozenset({"function_declaration", "generator_function_declaration"})


@dataclass
class Exported:
    """What the ``export`` statements of a module say."""

    names: dict[str, Node | None] = field(default_factory=dict)
    """Each name, and the value where it is written there or declared at the top."""
    stars: list[str] = field(default_factory=list)
    """Modules all of whose names are passed on."""
    passed_on: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Names that are those of another module: the module, and the name there."""
    local: dict[str, Node] = field(default_factory=dict)
    """The names that ``export { … }`` takes from this module, and where."""


def declared(root: Node) -> Iterator[tuple[str, str, Node]]:
    """Go through what is declared at the top: name, kind of declaration, value or function."""
    for statement in root.named_children:
        if statement.type == "export_statement":
            inner = statement.child_by_field_name("declaration")
            if inner:
                yield from _of_declaration(inner)
        elif statement.type == "import_statement":
            yield from ((name, "import", statement) for name in _imported(statement))
        else:
            yield from _of_declaration(statement)


def is_constant(value: Node) -> bool:
    """Whether what ``declared`` gives is the value of a ``const``, which stays what it is."""
    declaration = value.parent.parent if value.parent else None
    return declaration is not None and any(c.type == "const" for c in declaration.children)


def _of_declaration(node: Node) -> Iterator[tuple[str, str, Node]]:
    if node.type in _FUNCTIONS:
        yield text_of(node.child_by_field_name("name")), "function", node
    elif node.type == "class_declaration":
        yield text_of(node.child_by_field_name("name")), "class", node
    elif node.type in {"lexical_declaration", "variable_declaration"}:
        kind = "var" if node.type == "variable_declaration" else "let"
        for declarator in node.named_children:
            if declarator.type != "variable_declarator":
                continue
            name = declarator.child_by_field_name("name")
            value = declarator.child_by_field_name("value") or declarator
            for one in _bound(name):
                is_whole = name is not None and name.type == "identifier"
                yield one, kind, value if is_whole else declarator


def _bound(pattern: Node | None) -> Iterator[str]:
    waiting = [pattern] if pattern else []
    while waiting:
        node = waiting.pop()
        if node.type in {"identifier", "shorthand_property_identifier_pattern"}:
            yield text_of(node)
        elif node.type == "pair_pattern":
            waiting.extend(filter(None, [node.child_by_field_name("value")]))
        elif node.type in {"assignment_pattern", "object_assignment_pattern"}:
            waiting.extend(filter(None, [node.child_by_field_name("left")]))
        else:
            waiting.extend(node.named_children)


def _imported(statement: Node) -> Iterator[str]:
    waiting = [c for c in statement.named_children if c.type == "import_clause"]
    while waiting:
        node = waiting.pop()
        if node.type == "import_specifier":
            name = node.child_by_field_name("alias") or node.child_by_field_name("name")
            yield text_of(name)
        elif node.type == "identifier":
            yield text_of(node)
        else:
            waiting.extend(node.named_children)


def exported(root: Node) -> Exported:
    """Read the ``export`` statements of a module."""
    result = Exported()
    values = {name: value for name, _, value in declared(root)}
    for statement in root.named_children:
        if statement.type == "export_statement":
            _read_export(statement, values, result)
    return result


def _read_export(statement: Node, values: dict[str, Node], result: Exported) -> None:
    source = string_of(statement.child_by_field_name("source"))
    declaration = statement.child_by_field_name("declaration")
    value = statement.child_by_field_name("value")
    if any(child.type == "default" for child in statement.children):
        result.names["default"] = unwrapped(value) if value else declaration
    elif declaration:
        for name, _, node in _of_declaration(declaration):
            result.names[name] = node
    clause = next((c for c in statement.named_children if c.type == "export_clause"), None)
    namespace = next((c for c in statement.named_children if c.type == "namespace_export"), None)
    if namespace:
        whole = first_of(namespace)
        result.names[string_of(whole) or text_of(whole)] = None
    elif clause:
        for specifier in clause.named_children:
            if specifier.type != "export_specifier":
                continue
            taken = specifier.child_by_field_name("name")
            alias = specifier.child_by_field_name("alias") or taken
            inner, outer = string_of(taken) or text_of(taken), string_of(alias) or text_of(alias)
            result.names[outer] = None if source else values.get(inner)
            if source:
                result.passed_on[outer] = (source, inner)
            else:
                result.local[inner] = specifier
    elif source and not declaration and value is None:
        result.stars.append(source)
