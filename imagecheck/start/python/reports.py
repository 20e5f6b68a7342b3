"""The result of following imports, as problems, loaded files and clauses for the report."""

import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.image.filesystem import Node
from imagecheck.rule import EXIT_ERROR, Severity
from imagecheck.start.handler_problem import HandlerProblem, handler_problem
from imagecheck.start.python.code import UnparsedCode
from imagecheck.start.python.graph import Graph
from imagecheck.start.python.import_changes import changes_imports, makes_modules
from imagecheck.start.python.interpreter import Interpreter
from imagecheck.start.python.loaded import Loaded, Lost
from imagecheck.start.python.modules import Miss, PythonModules
from imagecheck.start.python.standard_library import gone_since, new_since

if TYPE_CHECKING:
    from imagecheck.subject import Subject

_FIX = "COPY it into the image or install it there, or correct the name"
_MAX_CLAUSES = 5
_OF_OTHER_SYSTEMS = (b"MZ", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")


def of_graph(graph: Graph) -> Iterator[HandlerProblem | Node | str]:
    """Say what a graph found."""
    unsure: list[str] = []
    said: set[str] = set()
    for lost in graph.lost:
        one = _lost(graph, lost)
        name = f"{lost.miss.name if lost.miss else lost.what}"
        if isinstance(one, str):
            unsure.append(one)
        elif one and name not in said:
            said.add(name)
            yield one
    for loaded in graph.loaded.values():
        yield from _loaded(graph, loaded)
    yield from list(dict.fromkeys(unsure))[:_MAX_CLAUSES]
    if graph.is_cut_off:
        yield f"modules of Python after the first {len(graph.loaded)} that are imported"


def without_library(subject: "Subject", interpreter: Interpreter) -> HandlerProblem | None:
    """Report a PYTHONHOME without a standard library: that Python ends before it runs anything."""
    home = interpreter.variable("PYTHONHOME").partition(":")[0]
    if not home or interpreter.library or subject.files is None:
        return None
    for name in ("lib", "lib64"):
        node = subject.files.find(posixpath.join(home, name))
        if any(child.startswith("python3") for child in (node.children if node else ())):
            return None
    return handler_problem(
        "E2",
        f"PYTHONHOME is {home}, and there is no standard library in {home}/lib:"
        f" {interpreter.program} ends with exit status 1",
        "leave PYTHONHOME unset: Python finds its library by itself",
        error_type=EXIT_ERROR,
    )


def missing(
    modules: PythonModules, miss: Miss, by: str, severity: Severity | None = None
) -> HandlerProblem:
    """Report a module that is not found."""
    name = miss.name
    top = name.partition(".")[0]
    minor = modules.minor
    since, until = new_since(top), gone_since(top)
    if why := miss.why or ("" if miss.parent else modules.elsewhere(top)):
        text, fix = why, "install it for the Python that is started, or correct the name"
    elif until and minor and minor >= until:
        text = f"Python 3.{minor} no longer has it"
        fix = f"install a package that replaces {top}, or do without it"
    elif since and minor and minor < since:
        text, fix = f"it came with Python 3.{since}, and this is 3.{minor}", "use a newer Python"
    elif miss.parent:
        text, fix = f"there is none in {miss.parent.path}", _FIX
    else:
        text = f"there is no such module in {modules.path.where}, where this interpreter looks"
        fix = _FIX
    if miss.certainty != "certain":
        severity = "warning"
    return handler_problem("E2", f"{by} imports {name!r}: {text}", fix, severity=severity)


def _lost(graph: Graph, lost: Lost) -> HandlerProblem | str | None:
    """Report an import that finds nothing, as far as it is certain."""
    if not graph.imports(lost.by, lost.what):
        return None
    by = lost.by.module.path if lost.by else "what is started"
    if lost.miss is None:
        return _name(graph, lost, by)
    name = lost.miss.name
    made = {one for loaded in graph.loaded.values() for one in _makes(loaded)}
    if made & _with_parents(lost.what.name):
        return None
    if lost.miss.certainty == "open" or _is_made(graph, lost):
        return f"whether {by} finds {name!r}, which may be made at run time"
    return missing(graph.modules, lost.miss, by, "warning" if _is_changed(graph) else None)


def _name(graph: Graph, lost: Lost, by: str) -> HandlerProblem | str | None:
    """Report ``from module import name`` where the module has no such name."""
    base, name = lost.what.name, lost.what.wanted
    module = graph.loaded.get(base)
    if module:
        code = graph.code(module)
        if isinstance(code, SyntaxError | UnparsedCode):
            return None
        if code and (name in code.names or code.is_open):
            return None
        if not module.is_own and makes_modules(graph, base):
            return f"whether {by} finds {name!r} in {base}, which may be made at run time"
    why = f": {lost.why}" if lost.why else ""
    return handler_problem(
        "E2",
        f"{by}, line {lost.what.line}, imports {name!r} from {base!r}, which has no such name{why}",
        "correct the name, or install the version of the package that has it",
        severity="warning" if _is_changed(graph) else None,
    )


def _with_parents(name: str) -> set[str]:
    parts = name.split(".")
    return {".".join(parts[: number + 1]) for number in range(len(parts))}


def _makes(loaded: Loaded) -> frozenset[str]:
    code = loaded.code
    is_read = code is not None and not isinstance(code, SyntaxError | UnparsedCode)
    return code.makes if is_read else frozenset()  # type: ignore[union-attr]


def _is_made(graph: Graph, lost: Lost) -> bool:
    """Whether the package that should have the module, or that imports it, makes its own."""
    if lost.miss and lost.miss.parent and not lost.miss.parent.is_standard:
        return makes_modules(graph, lost.miss.parent.name)
    # It would have to make a module beside itself, or look for it in a place of its own.
    return bool(lost.by and not lost.by.is_own and changes_imports(graph, lost.by.module.name))


def _is_changed(graph: Graph) -> bool:
    """Whether the function's own code, or what runs before it, changes what imports find."""
    codes = [loaded.code for loaded in graph.loaded.values() if loaded.is_own]
    return bool(graph.modules.unknown or graph.may_be_changed) or any(
        code.changes_imports
        for code in codes
        if code is not None and not isinstance(code, SyntaxError | UnparsedCode)
    )


def _no_library(node: Node) -> Iterator[HandlerProblem]:
    """Report a native module that is none: files of other systems have a rule's own words."""
    if not node.is_readable() or node.entry.head.startswith(_OF_OTHER_SYSTEMS):
        return
    is_pointer = node.entry.head.startswith(b"version https://git-lfs")
    what = (
        "is empty" if not node.entry.size
        else "is a pointer of Git LFS to the module" if is_pointer
        else "is not an ELF file"
    )  # fmt: skip
    fix = "git lfs pull before the build" if is_pointer else "install the package again"
    yield handler_problem("E7", f"{node.path}, which is loaded with the handler, {what}", fix)


def _loaded(graph: Graph, loaded: Loaded) -> Iterator[HandlerProblem | Node | str]:
    node = loaded.module.node
    if node is None:
        return
    if loaded.is_own:
        code = graph.code(loaded)
        if isinstance(code, SyntaxError):
            found = f"{loaded.module.path}, line {code.lineno}: {code.msg}"
            yield handler_problem("E4", found, f"correct {loaded.module.path}")
        elif isinstance(code, UnparsedCode) and code.is_new:
            yield f"the code of {loaded.module.path}: {code.why}"
        elif isinstance(code, UnparsedCode):
            found = f"{loaded.module.path} is not judged: {code.why}"
            fix = f"see for yourself that {loaded.module.path} can be imported"
            yield handler_problem("E4", found, fix, severity="warning")
    if node.path.endswith(".so") and not node.entry.elf and graph.certain(loaded):
        yield from _no_library(node)
    # What matters of a text that can be read is in it; of other files, that they are loaded.
    is_plain = loaded.module.is_text and node.is_readable()
    if is_plain or graph.certain(loaded):
        yield node
