"""The packages that make modules at run time, or change what imports find outside of them."""

from imagecheck.start.python.code import Code
from imagecheck.start.python.graph import Graph
from imagecheck.start.python.scan import MACHINERY


def makes_modules(graph: Graph, name: str) -> bool:
    """Whether the package of a module, or a part of it, makes modules at run time."""
    top = name.partition(".")[0]
    return any(MACHINERY.search(text) for text in graph.texts_of(top))


def changes_imports(graph: Graph, name: str) -> bool:
    """Whether the package of a module changes what imports find outside of it."""
    top = name.partition(".")[0]
    for other, loaded in graph.loaded.items():
        is_part = other == top or other.startswith(f"{top}.")
        if is_part and loaded.text is not None and MACHINERY.search(loaded.text):
            code = graph.code(loaded)
            if not isinstance(code, Code) or code.moves_imports or code.adds:
                return True
    return False
