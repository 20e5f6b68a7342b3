"""The problems that AWS's runtime client meets in its own imports, before it looks at the handler.

``python -m awslambdaric`` looks for modules in the working directory first, so that a file there
with the name of a module that the client needs takes that module's place.
"""

import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from imagecheck.image.filesystem import Node
from imagecheck.rule import EXIT_ERROR
from imagecheck.start.handler_problem import HandlerProblem, handler_problem
from imagecheck.start.python.client_walk import CLIENT, IMPORTED_AT_START, ClientWalk
from imagecheck.start.python.graph import Graph
from imagecheck.start.python.modules import Miss, Module, PythonModules
from imagecheck.start.python.standard_library import is_standard

if TYPE_CHECKING:
    from imagecheck.subject import Subject

_NATIVE: Final = "runtime_client"
_OTHERS: Final = frozenset({"simplejson", "snapshot_restore_py", "runtime_client"})
_FROZEN: Final = frozenset({"runpy"})
"""What is built in frozen, from 3.11 on, and so comes before any folder."""
_FROZEN_SINCE: Final = 11
_KNOWN: Final = frozenset(
    """__future__ _weakrefset atexit collections contextlib copyreg decimal enum functools importlib
    itertools json keyword linecache logging math numbers operator re reprlib simplejson string
    threading traceback types warnings weakref awslambdaric runpy""".split()  # noqa: SIM905
)
"""What the client 4.2.2 has imported under each Python from 3.8 to 3.13."""
_FATAL: Final = frozenset(
    """collections contextlib copyreg decimal enum functools importlib json keyword logging numbers
    operator re reprlib runtime_client simplejson string threading types weakref
    """.split()  # noqa: SIM905
)
"""What it cannot do without: measured, by hiding each."""


def hides_of_client(subject: "Subject", modules: PythonModules) -> Iterator[HandlerProblem]:
    """Report files that take the place of what the client needs. Raises ImageReadError."""
    hiding = _hiding(modules)
    if not hiding or isinstance(modules.find(CLIENT), Miss):
        return
    walk = ClientWalk(subject, modules, hiding)
    if walk.is_known:
        runner = ["importlib.machinery", "importlib.util"] if _is_frozen(modules) else ["runpy"]
        walk.run([*runner, CLIENT, f"{CLIENT}.__main__"])
        for name, by, wanted in walk.failed:
            yield _problem(hiding[name], f"{by} imports {name} and needs its {wanted}")
        return
    for name in sorted(hiding.keys() & _FATAL):
        yield _problem(
            hiding[name], f"the runtime client imports {name}, and gets this in its place"
        )


def native_half(subject: "Subject", modules: PythonModules) -> Iterator[HandlerProblem | Node]:
    """Judge what talks to the Runtime API: the client takes its absence for no error at first.

    Raises ImageReadError.
    """
    found = modules.find(_NATIVE)
    if isinstance(found, Module):
        yield from [found.node] if found.node else []
        return
    asking = modules.find(f"{CLIENT}.lambda_runtime_client")
    if found.certainty != "certain" or isinstance(asking, Miss) or asking.node is None:
        return
    if f"{_NATIVE}.next(".encode() in subject.contents([asking.node]).get(asking.node.path, b""):
        interpreter = modules.path.interpreter
        why = found.why or f"there is none in {modules.path.where}"
        yield handler_problem(
            "D4",
            f"{interpreter.name} finds no {_NATIVE}, by which {CLIENT} asks for events: {why};"
            " exit status 1",
            f"install {CLIENT} with the Python that is started: {interpreter.program} -m pip"
            f" install {CLIENT}",
            severity="error",
            error_type=EXIT_ERROR,
        )


def lacks_of_client(subject: "Subject", modules: PythonModules) -> Iterator[HandlerProblem]:
    """Report what the client itself imports and does not find, as after ``pip --no-deps``.

    Raises ImageReadError.
    """
    graph = Graph(subject, modules)
    graph.start(f"{CLIENT}.__main__")
    for lost in graph.lost:
        is_certain = lost.miss and lost.miss.certainty == "certain" and not lost.miss.parent
        if lost.by and lost.miss and is_certain and graph.imports(lost.by, lost.what):
            program = modules.path.interpreter.program
            yield handler_problem(
                "D4",
                f"{lost.by.module.path} imports {lost.miss.name!r}, and there is none in"
                f" {modules.path.where}; exit status 1",
                f"install {CLIENT} with what it needs: {program} -m pip install {CLIENT}",
                severity="error",
                error_type=EXIT_ERROR,
            )
            return


def client_missing(modules: PythonModules, miss: Miss) -> HandlerProblem:
    """Report that the Python that is started has no runtime client."""
    interpreter = modules.path.interpreter
    why = miss.why or modules.elsewhere(CLIENT) or f"there is none in {modules.path.where}"
    return handler_problem(
        "D4",
        f"{interpreter.name} finds no {CLIENT}: {why}; exit status 1",
        f"install {CLIENT} for {interpreter.program}: {interpreter.program} -m pip install"
        f" {CLIENT}",
        severity="error",
        error_type=EXIT_ERROR,
    )


def is_loaded_before(
    subject: "Subject", modules: PythonModules, top: str, *, on_aws_base: bool
) -> bool:
    """Whether a module of this name is loaded before the handler's is looked for."""
    if not is_standard(top, modules.minor) and top not in _OTHERS:
        return False
    if top in IMPORTED_AT_START or (_is_frozen(modules) and top in _FROZEN):
        return True
    if not on_aws_base:
        # The function's own folder comes first there, so that the client has got what is in it.
        return False
    walk = ClientWalk(subject, modules, {})
    if not walk.is_known:
        return top in _KNOWN
    walk.run(["json", "logging", "site", "traceback", "warnings", CLIENT, f"{CLIENT}.__main__"])
    return top in walk.loaded


def _problem(path: str, why: str) -> HandlerProblem:
    return handler_problem(
        "D7",
        f"{path} hides a module of the same name: {why}, so it ends with exit status 1 before it"
        " asks for an event",
        f"give {path} another name",
    )


def _is_frozen(modules: PythonModules) -> bool:
    return (modules.minor or 0) >= _FROZEN_SINCE


def _hiding(modules: PythonModules) -> dict[str, str]:
    """Find the function's own modules that have the name of another's, and their paths."""
    found: dict[str, str] = {}
    client = modules.find(CLIENT)
    home = (
        posixpath.dirname(client.folders[0])
        if isinstance(client, Module) and client.folders
        else ""
    )
    for name in modules.own_names():
        is_theirs = is_standard(name, modules.minor) or name in _OTHERS
        if not is_theirs or name in IMPORTED_AT_START or (_is_frozen(modules) and name in _FROZEN):
            continue
        module = modules.find(name)
        if isinstance(module, Module) and not module.is_standard and not module.is_namespace:
            folder = posixpath.dirname(module.path.removesuffix("/__init__.py"))
            # What lies beside the client was installed with it.
            is_theirs = name in _OTHERS and folder == home
            if folder in modules.path.own and not is_theirs:
                found[name] = module.path
    return found
