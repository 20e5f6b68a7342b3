"""Rows E1 to E5 for Python: what awslambdaric does with the handler's name.

https://github.com/aws/aws-lambda-python-runtime-interface-client/blob/main/awslambdaric/bootstrap.py
"""

import posixpath
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.image.filesystem import Node
from imagecheck.image.layer import Kind
from imagecheck.rule import Severity
from imagecheck.start.handler import Handler
from imagecheck.start.judged import Judged, judged
from imagecheck.start.python.code import BUILT_IN, Code, Module, SearchPath, parse

if TYPE_CHECKING:
    from imagecheck.subject import Subject

_MAX_MODULES = 500
_MAX_OWN_BYTES = 16 * 1024**2


def python_handler(subject: "Subject", handler: Handler) -> Iterator[Judged | Node | str]:
    """Judge a handler such as ``rooms.main.handler``."""
    name = handler.name
    module_name, dot, function = name.rpartition(".")
    module_name = module_name.replace("/", ".")
    if not dot:
        found = f"the handler {name!r} has no dot: it should be module.function"
        yield judged("E1", found, 'CMD ["module.function"]')
    elif not module_name or module_name.startswith("."):
        found = f"the handler {name!r} has no module that could be imported"
        type_ = "TypeError" if module_name else "ValueError"
        yield judged("E1", found, 'CMD ["module.function"]', error_type=type_)
    elif module_name.partition(".")[0] in BUILT_IN:
        found = f"the handler's module {module_name!r} has the name of one built into Python"
        yield judged("E5", found, "give the module another name")
    else:
        yield from _import(subject, module_name, function)


def _import(subject: "Subject", handler_module: str, function: str) -> Iterator[Judged | Node]:
    """Import the handler's module, and what that imports for certain.

    Other people's packages are looked up, but not gone into.
    """
    more = [path for path in subject.start.environment.get("PYTHONPATH", "").split(":") if path]
    assert subject.files  # noqa: S101  (there is no handler without files)
    program = subject.chain.program.path if subject.chain and subject.chain.program else ""
    search = SearchPath(subject.files, program, [*subject.python_roots, *more])
    parts = handler_module.split(".")
    waiting: list[Module] = []
    for number in range(len(parts)):
        name = ".".join(parts[: number + 1])
        module = search.find(name)
        if module is None:
            yield _missing(name, "the handler", subject, "error")
            return
        waiting.append(module)
        yield from _files(subject, search, name)
    if waiting[-1].is_namespace:
        yield _function_missing(function, waiting[-1].path)
    seen = {module.name for module in waiting}
    texts = _own_texts(subject, parts[0])
    path_changes = search.has_path_files
    missing: dict[str, str] = {}
    while waiting and len(seen) < _MAX_MODULES:
        imports: list[Module] = []
        for module, code in _read(subject, waiting, texts, search.minor):
            if not isinstance(code, Code):
                yield _unusable(module, code)
                continue
            path_changes = path_changes or code.changes_path
            if module.name == handler_module and not _has(function, module, code, search):
                yield _function_missing(function, module.path)
            for imported in code.imports:
                if imported.name in seen or _is_standard(imported.name):
                    continue
                seen.add(imported.name)
                target = search.find(imported.name)
                if target is None and imported.is_module:
                    missing[imported.name] = module.path
                yield from _files(subject, search, imported.name)
                if target and _is_own(subject, target, parts[0]):
                    imports.append(target)
        waiting = imports
    for name, by in missing.items():
        may_be_made = path_changes or _is_one_file(search, name)
        yield _missing(name, by, subject, "warning" if may_be_made else "error")


def _files(subject: "Subject", search: SearchPath, name: str) -> Iterator[Node]:
    """Yield the files that are loaded for a module: its own and those of the packages it is in."""
    assert subject.files  # noqa: S101  (there is no handler without files)
    parts = name.split(".")
    for number in range(len(parts)):
        module = search.find(".".join(parts[: number + 1]))
        node = subject.files.find(module.path) if module else None
        if node and node.kind is Kind.FILE:
            yield node


def _unusable(module: Module, code: SyntaxError | None) -> Judged:
    if code is None:
        found = f"{module.path} is too large, too deeply nested or too new to be judged here"
        return judged(
            "E4",
            found,
            f"see for yourself that {module.path} can be imported",
            severity="warning",
        )
    return judged("E4", f"{module.path}, line {code.lineno}: {code.msg}", f"correct {module.path}")


def _is_one_file(search: SearchPath, name: str) -> bool:
    """Whether a single file may make a package of itself, as six does with six.moves."""
    top = search.find(name.partition(".")[0])
    return top is not None and not top.is_package


def _has(function: str, module: Module, code: Code, search: SearchPath) -> bool:
    # A module that is imported becomes a name in its package.
    is_module = module.is_package and search.find(f"{module.name}.{function}")
    return function in code.names or code.is_open or bool(is_module)


def _own_texts(subject: "Subject", handlers_top: str) -> dict[str, bytes]:
    """Read the function's own modules in one go: each reading goes through a whole layer."""
    assert subject.files  # noqa: S101  (there is no handler without files)
    nodes: list[Node] = []
    left = _MAX_OWN_BYTES
    for root in subject.python_roots:
        folder = subject.files.find(root)
        beside = folder.children.values() if folder else ()
        for node in (*beside, *subject.files.below(posixpath.join(root, handlers_top))):
            left -= node.entry.size
            if node.kind is Kind.FILE and node.path.endswith(".py") and left >= 0:
                nodes.append(node)
    return dict(subject.contents(nodes))


def _read(
    subject: "Subject", modules: list[Module], texts: dict[str, bytes], minor: int | None
) -> Iterator[tuple[Module, Code | SyntaxError | None]]:
    """Give the code of the modules that have a text; None for one that cannot be judged."""
    sources = [module.source for module in modules if module.source]
    texts |= subject.contents([node for node in sources if node.path not in texts])
    for module in modules:
        if module.source is None or not module.source.is_readable():
            continue
        try:
            yield module, parse(module, texts[module.source.path], minor)
        except SyntaxError as wrong:
            yield module, wrong


def _is_standard(name: str) -> bool:
    top = name.partition(".")[0]
    return top in BUILT_IN or top in sys.stdlib_module_names


def _is_own(subject: "Subject", module: Module, handlers_top: str) -> bool:
    """Whether it is the function's own: beside the handler, not installed."""
    beside = {posixpath.join(root, handlers_top) for root in subject.python_roots}
    is_beside = posixpath.dirname(module.path) in subject.python_roots
    return is_beside or any(module.path.startswith(f"{folder}/") for folder in beside)


def _missing(name: str, by: str, subject: "Subject", severity: Severity) -> Judged:
    where = ", ".join(subject.python_roots)
    return judged(
        "E2",
        f"{by} imports {name!r}, and there is no such module in {where} or where else the image's"
        " Python looks",
        "COPY it into the image or install it there, or correct the name",
        severity=severity,
    )


def _function_missing(function: str, path: str) -> Judged:
    return judged(
        "E3",
        f"{path} has no {function!r}",
        f"define {function} there, or name another function in CMD",
    )
