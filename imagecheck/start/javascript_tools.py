"""npm, npx, yarn and pnpm: what they start.

https://github.com/npm/cli/tree/v11.6.0/docs/lib/content/commands: npm-exec.md, npm-run.md.
"""

import posixpath
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import msgspec

from imagecheck.image.layer import FileKind
from imagecheck.start.steps import Ended, Next, Step, UnknownStep

if TYPE_CHECKING:
    from imagecheck.start.launch import Process
    from imagecheck.subject import Subject

_WITH_VALUE: Final = frozenset(
    {"-p", "--package", "-w", "--workspace", "--prefix", "--cache", "-C"}
)
_MAX_PACKAGE_BYTES: Final = 1024 * 1024
_SCRIPTS: Final = {"start", "stop", "test", "restart"}


def _npx(subject: "Subject", process: "Process", words: tuple[str, ...]) -> Step | None:
    rest = _without_options(words)
    if any(word in ("-c", "--call") for word in words[: len(words) - len(rest)]) or not rest:
        return UnknownStep("npx without the name of a program")
    return _program(subject, process, rest, "npx")


def _npm(subject: "Subject", process: "Process", words: tuple[str, ...]) -> Step | None:
    rest = _without_options(words)
    match rest:
        case ["exec" | "x", *more] if more:
            return _npx(subject, process, tuple(more))
        case ["run" | "run-script" | "rum" | "urn", *more] if more:
            return _script(subject, process, _without_options(tuple(more)), "npm run")
        case [name, *_] if name in _SCRIPTS:
            return _script(subject, process, rest, "npm")
    return None


def _other(subject: "Subject", process: "Process", words: tuple[str, ...]) -> Step | None:
    """Yarn and pnpm run a script or a program of that name."""
    tool = posixpath.basename(process.argv[0])
    rest = _without_options(words)
    if rest[:1] in (("run",), ("exec",), ("dlx",), ("node",)):
        rest = rest[1:] if rest[0] != "node" else rest
    if not rest:
        return None
    step = _script(subject, process, rest, tool)
    if isinstance(step, Ended):
        return _program(subject, process, rest, tool)
    return step


def _program(
    subject: "Subject", process: "Process", words: tuple[str, ...], tool: str
) -> Step | None:
    """Find a program in the node_modules above the working directory, as npm does."""
    assert subject.files  # noqa: S101  (there is no process without files)
    name = words[0].rpartition("/")[2] if words[0].startswith("@") else words[0]
    name = name.partition("@")[0]
    folder = posixpath.normpath(process.workdir)
    path = _path(process, folder)
    while True:
        program = posixpath.join(folder, "node_modules/.bin", name)
        if subject.files.find(program):
            environment = {**process.environment, "PATH": path}
            return Next((program, *words[1:]), environment, process.workdir, tool, 127, 126)
        if folder == "/":
            break
        folder = posixpath.dirname(folder)
    for place in ("/usr/local/bin", "/usr/bin"):
        if subject.files.find(f"{place}/{name}"):
            argv = (f"{place}/{name}", *words[1:])
            return Next(argv, process.environment, process.workdir, tool, 127, 126)
    if name == "aws-lambda-ric":
        return Ended(
            None,
            f"{tool} finds no {name} in the node_modules above {process.workdir}, nor among the"
            " global packages, and Lambda's file system and time are not there to install it",
            tool,
            "D4",
            "RUN npm install aws-lambda-ric in the folder of the function",
        )
    return UnknownStep(f"{tool} {name}, which is not installed where it looks first")


def _script(
    subject: "Subject", process: "Process", words: tuple[str, ...], tool: str
) -> Step | None:
    """A script of the working directory's package.json, which a shell runs."""
    name, arguments = words[0], [word for word in words[1:] if word != "--"]
    package, document = _package(subject, process.workdir)
    if package is None:
        return UnknownStep(f"{tool} {name}, where there is no package.json to be read")
    scripts = document.get("scripts")
    text = scripts.get(name) if isinstance(scripts, dict) else None
    if text is None and name == "start":
        folder = posixpath.dirname(package)
        if subject.files and subject.files.find(posixpath.join(folder, "server.js")):
            text = "node server.js"
    if not isinstance(text, str):
        return Ended(
            1,
            f"{package} has no script {name!r}",
            f"{tool} {name}",
            "C6",
            f"add the script to {package}, or name one that is there",
        )
    folder = posixpath.dirname(package)
    environment = {**process.environment, "PATH": _path(process, folder)}
    line = " ".join([text, *(_quoted(word) for word in arguments)])
    return Next(("/bin/sh", "-c", line), environment, folder, f"{tool} {name}", 1, 1)


def _package(subject: "Subject", workdir: str) -> tuple[str | None, dict[str, Any]]:
    assert subject.files  # noqa: S101  (there is no process without files)
    folder = posixpath.normpath(workdir)
    while True:
        node = subject.files.find(posixpath.join(folder, "package.json"))
        if node and node.kind is FileKind.FILE:
            break
        if folder == "/":
            return None, {}
        folder = posixpath.dirname(folder)
    if node.entry.size > _MAX_PACKAGE_BYTES or not node.is_readable():
        return None, {}
    try:
        document = msgspec.json.decode(subject.contents([node])[node.path])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None, {}
    return node.path, document if isinstance(document, dict) else {}


def _path(process: "Process", folder: str) -> str:
    """Put the folders of installed programs in front of PATH, the nearest first."""
    folders: list[str] = []
    while True:
        folders.append(posixpath.join(folder, "node_modules/.bin"))
        if folder == "/":
            break
        folder = posixpath.dirname(folder)
    return ":".join([*folders, process.environment.get("PATH", "/usr/local/bin:/usr/bin:/bin")])


def _without_options(words: tuple[str, ...]) -> tuple[str, ...]:
    at = 0
    while at < len(words) and words[at].startswith("-"):
        at += 1
        if words[at - 1] == "--":
            break
        at += words[at - 1] in _WITH_VALUE
    return words[at:]


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"


JAVASCRIPT_TOOLS: Final[
    dict[str, Callable[["Subject", "Process", tuple[str, ...]], Step | None]]
] = {"npm": _npm, "npx": _npx, "pnpm": _other, "pnpx": _npx, "yarn": _other, "yarnpkg": _other}
