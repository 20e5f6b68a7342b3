"""Rows E1 to E5 for Python: what awslambdaric does with the handler's name.

https://github.com/aws/aws-lambda-python-runtime-interface-client/blob/main/awslambdaric/bootstrap.py
"""

import posixpath
import sys
from collections.abc import Callable, Iterator

from release.finding import Finding, error, warning
from release.python_code import BUILT_IN, Code, Module, SearchPath, parse
from release.subject import Subject

Say = Callable[[str, str, str], Finding]

_MAX_MODULES = 500


def python_handler(subject: Subject, name: str) -> Iterator[Finding]:
    """Judge a handler such as ``rooms.main.handler``."""
    module_name, dot, function = name.rpartition(".")
    module_name = module_name.replace("/", ".")
    if not dot:
        found = f"the handler {name!r} has no dot: it should be module.function"
        yield error("E1", found, 'CMD ["module.function"]')
    elif not module_name or module_name.startswith("."):
        found = f"the handler {name!r} has no module that could be imported"
        type_ = "TypeError" if module_name else "ValueError"
        yield error("E1", found, 'CMD ["module.function"]', error_type=type_)
    elif module_name.partition(".")[0] in BUILT_IN:
        found = f"the handler's module {module_name!r} has the name of one built into Python"
        yield error("E5", found, "give the module another name")
    else:
        yield from _import(subject, module_name, function)


def _import(subject: Subject, handler_module: str, function: str) -> Iterator[Finding]:
    """Import the handler's module, and what that imports for certain.

    Other people's packages are looked up, but not gone into.
    """
    more = [path for path in subject.start.environment.get("PYTHONPATH", "").split(":") if path]
    assert subject.files  # noqa: S101  (there is no handler without files)
    search = SearchPath(subject.files, subject.task_roots, more)
    parts = handler_module.split(".")
    waiting: list[Module] = []
    for number in range(len(parts)):
        name = ".".join(parts[: number + 1])
        module = search.find(name)
        if module is None:
            yield _missing(name, "the handler", subject, error)
            return
        waiting.append(module)
    if waiting[-1].is_namespace:
        yield _function_missing(function, waiting[-1].path)
    seen = {module.name for module in waiting}
    while waiting and len(seen) < _MAX_MODULES:
        imports: list[Module] = []
        for module, code in _read(subject, waiting, search.minor):
            if isinstance(code, SyntaxError):
                found = f"{module.path}, line {code.lineno}: {code.msg}"
                yield error("E4", found, f"correct {module.path}")
                return
            if module.name == handler_module and not (function in code.names or code.is_open):
                yield _function_missing(function, module.path)
            for imported in code.imports:
                if imported.name in seen or _is_standard(imported.name):
                    continue
                seen.add(imported.name)
                target = search.find(imported.name)
                if target is None and imported.is_module:
                    say = warning if code.changes_path else error
                    yield _missing(imported.name, module.path, subject, say)
                elif target and _is_own(subject, target, parts[0]):
                    imports.append(target)
        waiting = imports


def _read(
    subject: Subject, modules: list[Module], minor: int | None
) -> Iterator[tuple[Module, Code | SyntaxError]]:
    """Give the code of the modules that have a text which can be judged."""
    texts = subject.contents([module.source for module in modules if module.source])
    for module in modules:
        if module.source is None:
            continue
        try:
            code = parse(module, texts[module.source.path], minor)
        except SyntaxError as wrong:
            yield module, wrong
        else:
            if code:
                yield module, code


def _is_standard(name: str) -> bool:
    top = name.partition(".")[0]
    return top in BUILT_IN or top in sys.stdlib_module_names


def _is_own(subject: Subject, module: Module, handlers_top: str) -> bool:
    """Whether it is the function's own: beside the handler, not installed."""
    beside = {posixpath.join(root, handlers_top) for root in subject.task_roots}
    is_beside = posixpath.dirname(module.path) in subject.task_roots
    return is_beside or any(module.path.startswith(f"{folder}/") for folder in beside)


def _missing(name: str, by: str, subject: Subject, say: Say) -> Finding:
    where = ", ".join(subject.task_roots) or "/"
    return say(
        "E2",
        f"{by} imports {name!r}, and there is no such module in {where} or where else the image's"
        " Python looks",
        "COPY it into the image or install it there, or correct the name",
    )


def _function_missing(function: str, path: str) -> Finding:
    return error(
        "E3",
        f"{path} has no {function!r}",
        f"define {function} there, or name another function in CMD",
    )
