"""The exports of a module as a value: names, with what they stand for where that is known."""

from dataclasses import dataclass, field

from tree_sitter import Node

from imagecheck.start.node.parse import FUNCTIONS, text_of, unwrapped


@dataclass
class Exports:
    """The names that a module exports."""

    names: dict[str, Node | None] = field(default_factory=dict)
    """Each name, with its value where that is known."""
    is_complete: bool = True
    """Whether it certainly has no others, but for those of ``others``."""
    others: list[str] = field(default_factory=list)
    """Modules whose names it has too."""
    is_function: bool = False
    """Whether what it exports as a whole is a function, a class or a promise."""

    def add(self, name: str, value: Node | None) -> None:
        """Note a name; of two values none is known, unless one is nothing yet."""
        known = self.names.get(name)
        is_first = name not in self.names or (known is not None and is_void(known))
        if is_first:
            self.names[name] = value
        elif not (value is not None and is_void(value)):
            self.names[name] = None


def is_void(node: Node) -> bool:
    """Whether a value is ``undefined``, as compilers write it before the real one."""
    node = unwrapped(node)
    if node.type == "assignment_expression":
        right = node.child_by_field_name("right")
        return right is not None and is_void(right)
    return node.type == "undefined" or text_of(node).startswith("void ")


def is_promise(value: Node) -> bool:
    """Whether a value is what an async function gives that is called on the spot."""
    value = unwrapped(value)
    function = value.child_by_field_name("function") if value.type == "call_expression" else None
    function = unwrapped(function) if function else None
    return (
        function is not None
        and function.type in FUNCTIONS
        and any(child.type == "async" for child in function.children)
    )
