"""Programs in Python that are started without a runtime client: a script, a module, a web server.

They are what stays in a function behind AWS's web adapter, and what must start there.
"""

import posixpath
import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Final

from imagecheck.image.filesystem import Node
from imagecheck.image.layer import FileKind
from imagecheck.rule import EXIT_ERROR
from imagecheck.start.handler_problem import HandlerProblem, handler_problem
from imagecheck.start.launch import Process
from imagecheck.start.python.client_walk import CLIENT
from imagecheck.start.python.graph import Graph
from imagecheck.start.python.interpreter import interpreter_of
from imagecheck.start.python.modules import Miss, Module, PythonModules
from imagecheck.start.python.reports import of_graph, without_library
from imagecheck.start.python.search_path import search_path

if TYPE_CHECKING:
    from imagecheck.subject import Subject

_MAX_SCRIPT_BYTES: Final = 8 * 1024**2
_TAKES_AN_APP: Final = frozenset({"gunicorn", "uvicorn", "hypercorn"})
_FIX = "COPY it into the image or install it for this Python, or correct the name"


def modules_of(subject: "Subject", process: Process) -> PythonModules | None:
    """Return what the Python of a process can import; None where it runs no Python.

    Raises ImageReadError.
    """
    interpreter = interpreter_of(subject, process)
    if interpreter is None:
        return None
    return PythonModules(subject, search_path(subject, interpreter, on_aws_base=False))


def can_import(subject: "Subject", process: Process, name: str) -> Module | Miss | None:
    """Return what the Python of a process finds under a name; None where it runs no Python."""
    modules = modules_of(subject, process)
    return modules.find(name) if modules else None


def find_client(subject: "Subject", process: Process) -> Module | Miss | None:
    """Return the runtime client that the Python of a process finds, or how it is missing."""
    return can_import(subject, process, CLIENT)


def judge_python_program(
    subject: "Subject", process: Process
) -> Iterator[HandlerProblem | Node | str]:
    """Judge what a Python that is not a runtime client is told to run. Raises ImageReadError.

    What fails ends the process, with exit status 1 or 2, before it listens.
    """
    modules = modules_of(subject, process)
    if modules is None:
        return
    if homeless := without_library(subject, modules.path.interpreter):
        yield homeless
        return
    options = modules.path.interpreter.options
    if options.module:
        yield from _module(subject, modules, options.module)
        yield from _app(subject, modules, options.module, options.arguments)
    elif options.script and options.script != "-":
        yield from _script(subject, modules, options.script)
        name = posixpath.basename(options.script)
        yield from _app(subject, modules, name, options.arguments)


def _module(
    subject: "Subject", modules: PythonModules, name: str
) -> Iterator[HandlerProblem | Node | str]:
    graph = Graph(subject, modules)
    found = graph.start(name)
    started = modules.path.interpreter.name
    if isinstance(found, Module) and found.is_package and not found.is_standard:
        found = graph.start(f"{name}.__main__")
    if isinstance(found, Miss):
        why = found.why or modules.elsewhere(name.partition(".")[0])
        text = f"{started} finds no module {found.name!r}" + (f": {why}" if why else "")
        yield _ends(f"{text}; exit status 1")
        return
    yield from _as_end(graph)


def _script(
    subject: "Subject", modules: PythonModules, script: str
) -> Iterator[HandlerProblem | Node | str]:
    files = subject.files
    assert files  # noqa: S101  (nothing is started without files)
    path = posixpath.normpath(posixpath.join(modules.path.interpreter.workdir, script))
    node = files.find(path)
    if node is None:
        yield _ends(
            f"{modules.path.interpreter.name} is to run {path}, which is not there; exit status 2"
        )
        return
    if node.kind is not FileKind.FILE or _is_zip(subject, node):
        yield f"what {node.path} runs: a folder or a zip file that is run is not read"
        return
    graph = Graph(subject, modules)
    graph.start_file(Module("__main__", node.path, node, is_text=True))
    yield from _as_end(graph)


def _is_zip(subject: "Subject", node: Node) -> bool:
    """Whether a script is an archive, which may begin with a shebang and ends as one."""
    if node.entry.head[:2] == b"PK" or node.entry.size > _MAX_SCRIPT_BYTES:
        return True
    return zipfile.is_zipfile(BytesIO(subject.contents([node], _MAX_SCRIPT_BYTES)[node.path]))


def _app(
    subject: "Subject", modules: PythonModules, server: str, arguments: tuple[str, ...]
) -> Iterator[HandlerProblem | Node | str]:
    """Judge the application that a server is told to load, such as ``main:app``."""
    if server not in _TAKES_AN_APP:
        return
    if any(word.startswith(("--chdir", "--app-dir", "--pythonpath", "-c")) for word in arguments):
        yield f"the application of {server}: its options say where it is"
        return
    names = [word for word in arguments if _is_app(word)]
    if len(names) != 1:
        return
    name = names[0].partition(":")[0]
    # Each of them puts the working directory first.
    modules.extend([modules.path.interpreter.workdir])
    graph = Graph(subject, modules, own_top=name.partition(".")[0])
    found = graph.start(name)
    if isinstance(found, Miss):
        yield _ends(f"{server} is to load {name!r}, and {found.name!r} is not found; exit status 1")
        return
    yield from _as_end(graph)


def _is_app(word: str) -> bool:
    module, colon, _ = word.partition(":")
    return bool(colon) and all(part.isidentifier() for part in module.split("."))


def _as_end(graph: Graph) -> Iterator[HandlerProblem | Node | str]:
    """Say what a graph found, as what it does to a program: it ends."""
    for one in of_graph(graph):
        if isinstance(one, HandlerProblem):
            problem = one.problem
            text = f"{problem.found}; exit status 1"
            yield handler_problem(
                one.rule, text, problem.fix, severity=problem.severity, error_type=EXIT_ERROR
            )
        else:
            yield one


def _ends(found: str) -> HandlerProblem:
    return handler_problem("E2", found, _FIX, error_type=EXIT_ERROR)
