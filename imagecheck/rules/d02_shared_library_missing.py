"""A program or a native module needs a shared library that the loader does not find."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from imagecheck.image.filesystem import FileSystem, Node
from imagecheck.rule import EXIT_ERROR, IMPORT_MODULE_ERROR, START, Problem, Rule
from imagecheck.start.dynamic_loader import Lack, missing_libraries

if TYPE_CHECKING:
    from imagecheck.subject import Subject

_RUNTIME = re.compile(r"/var/lang/bin/(?:python3\.\d+|node)")
_OF_AWS: Final = "/var/lang/lib"
"""What AWS's bootstrap puts in front of LD_LIBRARY_PATH."""
_CLIENT_OF_NODE = re.compile(r"/aws-lambda-ric/(?:.*/)?[^/]+\.node")
_CLIENT_OF_PYTHON = re.compile(r"/runtime_client\.[^/]*so")
_ERROR_OF_NODE: Final = "Error"
_FIX: Final = "install the library in the image, or build on the base that it runs on"


@dataclass(frozen=True)
class _Asked:
    """A program, or a module that it loads."""

    program: Node
    environment: Mapping[str, str]
    module: Node | None = None
    is_first: bool = False
    workdir: str = "/"
    error_type: str = EXIT_ERROR

    @property
    def node(self) -> Node:
        return self.module or self.program


def check(subject: "Subject") -> Iterator[Problem]:
    """Load the programs on the way to the handler, and the modules that it needs."""
    files = subject.files
    if not files:
        return
    seen: set[str] = set()
    for asked in (*_programs(subject, files), *_modules(subject, files)):
        elf = asked.node.entry.elf
        if not elf or elf.machine != subject.function.machine:
            continue
        for lack in missing_libraries(
            files,
            asked.program,
            asked.environment,
            subject.contents,
            module=asked.module,
            is_first=asked.is_first,
            workdir=asked.workdir,
        ):
            if lack.text not in seen:
                seen.add(lack.text)
                yield _problem(asked, lack)


def _problem(asked: _Asked, lack: Lack) -> Problem:
    if not lack.is_certain:
        return Problem(lack.text, f"{_FIX}, or set LD_LIBRARY_PATH", "warning", asked.error_type)
    status = 1 if asked.module else lack.exit_status
    ends = asked.error_type == EXIT_ERROR
    found = f"{lack.text}; exit status {status}" if ends else lack.text
    return Problem(found, error_type=asked.error_type)


def _programs(subject: "Subject", files: FileSystem) -> Iterator[_Asked]:
    for number, process in enumerate(subject.launch.processes if subject.launch else ()):
        program = process.chain.program
        if program and not process.chain.cause:
            yield _Asked(program, process.environment, is_first=not number, workdir=process.workdir)
    runtime = subject.runtime
    workdir = subject.start.workdir or "/"
    if runtime and not runtime.cause:
        if runtime.program:
            yield _Asked(runtime.program, subject.start.environment, workdir=workdir)
        for node in _runtimes(files):
            yield _Asked(node, _on_aws(subject), workdir=workdir)


def _modules(subject: "Subject", files: FileSystem) -> Iterator[_Asked]:
    launch = subject.launch
    program = launch.last.chain.program if launch else None
    environment = launch.last.environment if launch else subject.start.environment
    workdir = launch.last.workdir if launch else subject.start.workdir or "/"
    if subject.runtime and not subject.runtime.cause:
        environment = _on_aws(subject)
        program = next(_runtimes(files), program)
    client = {node.path: EXIT_ERROR for node in _of_client(files)}
    loaded = {
        node.path: _ERROR_OF_NODE if node.path.endswith(".node") else IMPORT_MODULE_ERROR
        for node in subject.judgement.loaded
        if node.entry.elf
    }
    for path, error_type in (client | loaded).items():
        module = files.find(path)
        if module:
            yield _Asked(
                program or module, environment, module, error_type=error_type, workdir=workdir
            )


def _of_client(files: FileSystem) -> Iterator[Node]:
    """Find the native modules of the runtime clients, without which none starts."""
    for node in files.below("/"):
        is_of_python = _CLIENT_OF_PYTHON.search(node.path) and files.find(
            posixpath.join(posixpath.dirname(node.path), "awslambdaric")
        )
        if is_of_python or _CLIENT_OF_NODE.search(node.path):
            yield node


def _runtimes(files: FileSystem) -> Iterator[Node]:
    """Find what AWS's bootstrap, a script, runs."""
    return (node for node in files.below("/var/lang/bin") if _RUNTIME.fullmatch(node.path))


def _on_aws(subject: "Subject") -> Mapping[str, str]:
    environment = subject.start.environment
    folders = ":".join(filter(None, (_OF_AWS, environment.get("LD_LIBRARY_PATH"))))
    return {**environment, "LD_LIBRARY_PATH": folders}


RULE = Rule(
    id="D2",
    title="Shared libraries are missing",
    severity="error",
    error_type=EXIT_ERROR,
    when=START,
    why=(
        "Before a program runs, the dynamic loader looks for the shared libraries that it"
        " names: in folders written into the program, in LD_LIBRARY_PATH, in /etc/ld.so.cache"
        " and in a few folders of its own. A missing library ends the program. A library that"
        " was copied to /usr/local/lib is found only after ldconfig has run. The same holds for"
        " the native modules that the handler imports."
    ),
    fix="Install the library in the image, or build on the base that it runs on.",
    source="https://man7.org/linux/man-pages/man8/ld.so.8.html",
    bad="""\
FROM python:3.13-slim
COPY --from=build /usr/local/lib/libpq.so.5 /usr/local/lib/
""",
    good="""\
FROM python:3.13-slim
COPY --from=build /usr/local/lib/libpq.so.5 /usr/local/lib/
RUN ldconfig
""",
    check=check,
)
