"""The function may not read its own code: Lambda runs it as somebody who owns nothing."""

import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from imagecheck.image.filesystem import FileSystem, Node, PathError
from imagecheck.image.layer import FileKind
from imagecheck.rule import EXIT_ERROR, IMPORT_MODULE_ERROR, START, Problem, Rule

if TYPE_CHECKING:
    from imagecheck.subject import Subject

_NOBODY_LOADS: Final = frozenset(
    """.cache .coverage .git .github .gitlab .hypothesis .idea .mypy_cache .next-cache .nox
    .nyc_output .pytest_cache .ruff_cache .tox .vscode __pycache__ __tests__ coverage doc docs
    example examples htmlcov spec test tests""".split()  # noqa: SIM905
)
_QUOTED = re.compile(r"'([^']+)'|(/[^\s,']+)")
_PATH_IN_CODE = re.compile(rb"""["'](/[\w.@+-]+(?:/[\w.@+-]+)+)["']""")
_NOT_OF_THE_IMAGE = ("/tmp/", "/proc/", "/sys/", "/dev/", "/mnt/")  # noqa: S108
_ERROR_TYPES: Final = {"java": "java.lang.ClassNotFoundException", "node": "Error"}
_MAX_TEXTS = 200
_SHOWN = 3


def check(subject: "Subject") -> Iterator[Problem]:
    """Look at what the handler loads, then at the rest of the function's own folder."""
    files = subject.files
    if not files:
        return
    handler = subject.judgement.handler
    is_python = handler is not None and handler.language == "python"
    folders = list(_closed_folders(subject, files, needs_listing=is_python))
    loaded = [node for node in subject.judgement.loaded if not node.is_readable()]
    fix = _fix([*folders, *loaded])
    if folders:
        yield Problem(
            f"others may not read {_listed(folders)}, where the handler or what it imports is",
            fix,
            severity="error" if handler else "warning",
            error_type=IMPORT_MODULE_ERROR if is_python or not handler else None,
        )
    if loaded and handler:
        yield Problem(
            f"others may not read {_listed(loaded)}, and the handler loads it",
            fix,
            error_type=_ERROR_TYPES.get(handler.language),
        )
    elif loaded:
        yield Problem(
            f"others may not read {_listed(loaded)}, and the program loads it; exit status 1",
            fix,
            error_type=EXIT_ERROR,
        )
    seen = {node.path for node in (*folders, *loaded)}
    named = [node for node in _named_in_code(subject, files) if node.path not in seen]
    seen |= {node.path for node in named}
    if named:
        yield Problem(
            f"others may not read {_listed(named)}, which the function's code names",
            _fix(named),
            severity="warning",
        )
    rest = [node for node in _of_the_function(subject, files) if node.path not in seen]
    if rest:
        yield Problem(
            f"others may not read {_listed(rest)}; that matters only if the function does",
            _fix(rest),
            severity="warning",
        )


def _closed_folders(
    subject: "Subject", files: FileSystem, *, needs_listing: bool
) -> Iterator[Node]:
    """Find folders that keep the runtime client from the handler, or from what it imports.

    Python lists the folders that it looks in, and takes one that it may not list for empty.
    """

    def is_closed(node: Node) -> bool:
        is_open = node.is_executable() and (node.is_readable() or not needs_listing)
        return node.kind is FileKind.DIRECTORY and not is_open

    found: dict[str, Node] = {}
    # C15 reports a working directory that cannot be entered.
    entered = {node.path for node in _on_the_way(files, subject.start.workdir or "/")}
    for path in _ways(subject):
        for folder in _on_the_way(files, path):
            if is_closed(folder) and (folder.is_executable() or folder.path not in entered):
                found.setdefault(folder.path, folder)
    wanted = _not_found(subject)
    if wanted:
        for node in files.below("/"):
            subject.budget.spend()
            if posixpath.basename(node.path) in wanted and is_closed(node):
                found.setdefault(node.path, node)
    yield from found.values()


def _ways(subject: "Subject") -> Iterator[str]:
    """Yield the folder that the handler is in, from each folder that it may be looked for in."""
    handler = subject.judgement.handler
    name = handler.name if handler else ""
    if handler and handler.language == "python":
        relative = name.rpartition(".")[0].replace(".", "/")
    else:
        relative = posixpath.dirname(name)
    for root in subject.task_roots or ("/",):
        yield root
        if relative and not name.startswith("/"):
            yield posixpath.join(root, relative)


def _on_the_way(files: FileSystem, path: str) -> Iterator[Node]:
    """Yield the folders from the root down to a path, as far as there are any."""
    here = files.find("/")
    for name in path.split("/"):
        if here is None:
            return
        if name:
            here = here.children.get(name)
            if here and here.kind is FileKind.SYMLINK:
                here = files.find(here.path)
        if here:
            yield here


def _not_found(subject: "Subject") -> set[str]:
    """Return the parts of the names of modules that the handler misses."""
    return {
        part
        for problem in subject.judgement.of("E2")
        for quoted, path in _QUOTED.findall(problem.found)
        for part in re.split(r"[./]", quoted or path)
        if part
    }


def _named_in_code(subject: "Subject", files: FileSystem) -> Iterator[Node]:
    """Find closed files and folders whose paths stand in the function's own code."""
    own = [
        node
        for node in subject.judgement.loaded
        if node.path.endswith((".py", ".js", ".mjs", ".cjs"))
        and node.is_readable()
        and node.path.startswith(tuple(f"{root}/" for root in subject.task_roots))
        and not re.search("/(?:site-packages|node_modules)/", node.path)
    ][:_MAX_TEXTS]
    paths = {
        found.decode()
        for text in subject.contents(own).values()
        for found in _PATH_IN_CODE.findall(text)
    }
    for path in sorted(paths):
        if path.startswith(_NOT_OF_THE_IMAGE):
            continue
        way = list(_on_the_way(files, path))
        try:
            node = files.resolve(path).node
        except PathError as error:
            closed = next((folder for folder in way if folder.path == error.at), None)
            if closed and way[-1].path == path:
                yield way[-1]
            continue
        if not node.is_readable():
            yield node


def _of_the_function(subject: "Subject", files: FileSystem) -> Iterator[Node]:
    """Find what is closed in the function's own folder, but what nobody loads."""
    for root in subject.task_roots:
        for node in files.below(root):
            subject.budget.spend()
            if node.is_readable() and (node.kind is not FileKind.DIRECTORY or node.is_executable()):
                continue
            parts = node.path.removeprefix(root).strip("/").split("/")
            if node.kind not in (FileKind.FILE, FileKind.DIRECTORY) or _NOBODY_LOADS & set(parts):
                continue
            is_hidden = any(part.startswith(".") for part in parts)
            if not is_hidden or parts[-1].startswith(".env"):
                yield node


def _fix(nodes: Iterable[Node]) -> str:
    paths = " ".join(node.path for node in list(nodes)[:_SHOWN])
    return f"COPY --chmod=a+rX …, or RUN chmod -R a+rX {paths}"


def _listed(nodes: list[Node]) -> str:
    first = ", ".join(f"{node.path} ({node.entry.mode:04o})" for node in nodes[:_SHOWN])
    return f"{first} and {len(nodes) - _SHOWN} more" if len(nodes) > _SHOWN else first


RULE = Rule(
    id="E6",
    title="Code that the function may not read",
    severity="error",
    error_type="PermissionError",
    when=START,
    why=(
        "Lambda runs the function as a user who owns no file of the image and is in none of its"
        " groups. The function cannot load files that only their owner may read, as a strict"
        " umask or some CI machines leave them."
    ),
    fix="COPY --chmod=a+rX …, or RUN chmod -R a+rX on the folder.",
    source="https://docs.aws.amazon.com/lambda/latest/dg/images-create.html",
    bad="""\
$ ls -l
-rw------- app.py
""",
    good="""\
COPY --chmod=a+rX app.py ${LAMBDA_TASK_ROOT}/
""",
    check=check,
)
