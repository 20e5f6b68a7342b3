"""The handler's name as awslambdaric reads it.

https://github.com/aws/aws-lambda-python-runtime-interface-client/blob/main/awslambdaric/bootstrap.py
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from imagecheck.image.filesystem import Node
from imagecheck.start.handler import Handler
from imagecheck.start.handler_problem import HandlerProblem, handler_problem
from imagecheck.start.python.client import (
    client_missing,
    hides_of_client,
    is_loaded_before,
    lacks_of_client,
    native_half,
)
from imagecheck.start.python.client_walk import CLIENT
from imagecheck.start.python.function import uncallable
from imagecheck.start.python.graph import Graph
from imagecheck.start.python.interpreter import aws_interpreter, interpreter_of
from imagecheck.start.python.modules import Miss, PythonModules
from imagecheck.start.python.reports import missing, of_graph, without_library
from imagecheck.start.python.search_path import search_path
from imagecheck.start.python.wrappers import variable_of

if TYPE_CHECKING:
    from imagecheck.subject import Subject

_FIX_NAME = 'CMD ["module.function"]'


def python_handler(subject: "Subject", handler: Handler) -> Iterator[HandlerProblem | Node | str]:
    """Judge a handler such as ``rooms.main.handler``, and the one behind it if it is a wrapper."""
    interpreter = (
        aws_interpreter(subject, handler.process)
        if handler.is_on_aws_base
        else interpreter_of(subject, handler.process)
    )
    if interpreter is None:
        yield f"the handler {handler.name}: which Python loads it is not known"
        return
    if homeless := without_library(subject, interpreter):
        yield homeless
        return
    path = search_path(subject, interpreter, on_aws_base=handler.is_on_aws_base)
    modules = PythonModules(subject, path)
    if not handler.is_on_aws_base:
        client = modules.find(CLIENT)
        if isinstance(client, Miss):
            yield client_missing(modules, client)
            return
        yield from native_half(subject, modules)
        yield from lacks_of_client(subject, modules)
        yield from hides_of_client(subject, modules)
    yield from _judge(subject, handler, modules)
    variable = variable_of(handler.name)
    real = interpreter.environment.get(variable, "") if variable else ""
    if real:
        yield from _judge(subject, replace(handler, name=real, named_by=variable), modules)
    elif variable:
        yield f"the handler behind {handler.name}: the image does not set {variable}"


def _judge(
    subject: "Subject", handler: Handler, modules: PythonModules
) -> Iterator[HandlerProblem | Node | str]:
    name = handler.name
    module_name, dot, function = name.rpartition(".")
    fix = _FIX_NAME if handler.named_by == "CMD" else f"{handler.named_by}=module.function"
    if not dot:
        found = f"the handler {name!r} has no dot: it should be module.function"
        yield handler_problem("E1", found, fix)
    elif not module_name or module_name.startswith((".", "/")):
        found = f"the handler {name!r} has no module that could be imported"
        type_ = "TypeError" if module_name else "ValueError"
        yield handler_problem("E1", found, fix, error_type=type_)
    elif modules.is_built_in(module_name.partition(".")[0]):
        # Only a dot ends the name that the client compares: not the slash of time/x.
        found = f"the handler's module {module_name!r} has the name of one built into Python"
        yield handler_problem("E5", found, "give the module another name")
    else:
        yield from _import(subject, modules, module_name.replace("/", "."), function, handler)


def _import(
    subject: "Subject", modules: PythonModules, name: str, function: str, handler: Handler
) -> Iterator[HandlerProblem | Node | str]:
    """Import the handler's module, and what that imports for certain."""
    top = name.partition(".")[0]
    if is_loaded_before(subject, modules, top, on_aws_base=handler.is_on_aws_base):
        yield from _standard(name, function)
        return
    graph = Graph(subject, modules, own_top=top)
    found = graph.start(name)
    if isinstance(found, Miss):
        yield missing(modules, found, f"{handler.named_by} {handler.name}")
        yield from of_graph(graph)
        return
    if found.is_standard:
        yield from _standard(name, function)
        return
    yield from of_graph(graph)
    loaded = graph.loaded.get(name)
    if loaded is None:
        return
    is_module = found.is_package and not isinstance(modules.find(f"{name}.{function}"), Miss)
    if not graph.may_bind(loaded, function) and not is_module:
        yield handler_problem(
            "E3",
            f"{found.path} has no {function!r}",
            f"define {function} there, or name another function in {handler.named_by}",
        )
    elif wrong := uncallable(graph, loaded, function):
        yield handler_problem("E8", wrong.why, wrong.fix, error_type=wrong.error_type)


def _standard(name: str, function: str) -> Iterator[HandlerProblem]:
    """Judge a handler whose module's name Python has taken for one of its own already."""
    fix = "give the handler's module a name that no module of Python has"
    if "." in name:
        found = f"{name.partition('.')[0]!r} is Python's own module, and {name!r} is not in it"
        yield handler_problem("E2", found, fix)
    else:
        found = (
            f"the handler's module {name!r} is Python's own, loaded before the handler, and has no"
            f" {function!r}"
        )
        yield handler_problem("E3", found, fix)
