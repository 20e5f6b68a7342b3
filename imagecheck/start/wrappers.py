"""Wrappers: programs that only start another one."""

import posixpath
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from imagecheck.start.javascript_tools import JAVASCRIPT_TOOLS
from imagecheck.start.shells import SHELLS, after_shell
from imagecheck.start.steps import NOT_FOUND, NOT_RUN, Ended, Next, Step, UnknownStep

if TYPE_CHECKING:
    from imagecheck.start.launch import Process
    from imagecheck.subject import Subject


def next_of(subject: "Subject", process: "Process") -> Step | None:
    """Return what a process starts; None where it is the one that stays, or not known to us."""
    words = process.words
    if not words or not words[0]:
        return None
    name = posixpath.basename(words[0])
    if name == "busybox" and len(words) > 1:
        words, name = words[1:], words[1]
    if name in SHELLS:
        return after_shell(subject, process, words)
    runner = _runner_of(process, words)
    if runner is None:
        return None
    wrap, arguments = runner
    return wrap(subject, process, arguments)


Wrap = Callable[["Subject", "Process", tuple[str, ...]], Step | None]


def _runner_of(process: "Process", words: tuple[str, ...]) -> tuple[Wrap, tuple[str, ...]] | None:
    """Find what is known of the program, or of the script that an interpreter is given."""
    for number, word in enumerate(words[:3]):
        name = posixpath.basename(word)
        if wrap := _WRAPPERS.get(name):
            # Of what an interpreter is given, only a file that lies where programs do.
            if number and "/bin/" not in word and process.file and process.file.path != word:
                continue
            return wrap, words[number + 1 :]
        if wrap := _scripts(word):
            return wrap, words[number + 1 :]
    if wrap := _WRAPPERS.get(posixpath.basename(process.argv[0])):
        return wrap, process.argv[1:]
    return None


def _scripts(word: str) -> Wrap | None:
    for ending, wrap in _SCRIPTS.items():
        if word.endswith(ending):
            return wrap
    return None


def _prefix(
    *, takes: Iterable[str] = (), first: int = 0, status: tuple[int, int] = (127, 126)
) -> Wrap:
    """A program that takes options, and then a command.

    ``takes`` are the options with a value, ``first`` is how many words of its own come before the
    command; ``status`` is what it ends with when the command is missing, and when it may not be
    run.
    """
    with_value = frozenset(takes)

    def wrap(_: "Subject", process: "Process", words: tuple[str, ...]) -> Step | None:
        rest = without_options(words, with_value)[first:]
        by = posixpath.basename(process.argv[0])
        if not rest:
            return None
        return Next(rest, process.environment, process.workdir, by, *status)

    return wrap


def without_options(words: tuple[str, ...], with_value: frozenset[str]) -> tuple[str, ...]:
    """Return what follows the options."""
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] != "-":
        at += 1
        if words[at - 1] == "--":
            break
        at += words[at - 1] in with_value
    return words[at:]


def _env(_: "Subject", process: "Process", words: tuple[str, ...]) -> Step | None:
    environment = dict(process.environment)
    workdir = process.workdir
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        if word in ("-i", "-", "--ignore-environment"):
            environment = {}
        elif word in ("-u", "--unset") and waiting:
            environment.pop(waiting.pop(0), None)
        elif word.startswith("--unset="):
            environment.pop(word.partition("=")[2], None)
        elif word in ("-C", "--chdir") and waiting:
            workdir = posixpath.join(workdir, waiting.pop(0))
        elif word in ("-S", "--split-string") and waiting:
            text = waiting.pop(0)
            if any(mark in text for mark in "\"'\\$"):
                return UnknownStep("env -S with quotes")
            waiting = text.split() + waiting
        elif word == "--":
            continue
        elif word.startswith("-"):
            return UnknownStep(f"env {word}")
        elif "=" in word:
            name, _sign, value = word.partition("=")
            environment[name] = value
        else:
            return Next((word, *waiting), environment, workdir, "env", NOT_FOUND, NOT_RUN)
    return None


def _other_user(_: "Subject", process: "Process", words: tuple[str, ...]) -> Step | None:
    """gosu and its like become another user first, which only root may."""
    name = posixpath.basename(process.argv[0])
    if not words or words[0].startswith("-"):
        return None
    why = f"it is to become the user {words[0]}, which only root may"
    return Ended(1, why, name, "C7", f"leave {name} out: Lambda has a user of its own for all")


def _otel(subject: "Subject", process: "Process", words: tuple[str, ...]) -> Step | None:
    if words and words[0].startswith("-") and "=" not in words[0]:
        return UnknownStep("opentelemetry-instrument with options that may have values")
    return _prefix(status=(1, 1))(subject, process, words)


def _newrelic(_: "Subject", process: "Process", words: tuple[str, ...]) -> Step | None:
    if words[:1] != ("run-program",) or len(words) == 1:
        return None
    return Next(words[1:], process.environment, process.workdir, "newrelic-admin", 1, 1)


def _project(_: "Subject", process: "Process", words: tuple[str, ...]) -> Step | None:
    """poetry, uv and the like: ``run`` a program of the project's virtual environment."""
    tool = posixpath.basename(process.argv[0])
    if words[:1] != ("run",):
        return None
    rest = without_options(words[1:], frozenset(_UV_OPTIONS))
    if not rest:
        return None
    venv = process.environment.get("UV_PROJECT_ENVIRONMENT") or ".venv"
    folder = posixpath.join(process.workdir, venv)
    path = f"{folder}/bin:{process.environment.get('PATH', '')}"
    environment = {**process.environment, "PATH": path, "VIRTUAL_ENV": folder}
    if rest[0].endswith(".py"):
        rest = ("python", *rest)
    return Next(
        rest, environment, process.workdir, f"{tool} run", None, None, may_be_elsewhere=True
    )


_UV_OPTIONS = (
    "--directory", "--env-file", "--extra", "--group", "--package", "--project", "--python",
    "--with", "-p",
)  # fmt: skip


def _bundle(_: "Subject", process: "Process", words: tuple[str, ...]) -> Step | None:
    rest = without_options(words[1:], frozenset({"--gemfile"}))
    if words[:1] != ("exec",) or not rest:
        return None
    return Next(
        rest, process.environment, process.workdir, "bundle exec", 127, 126, may_be_elsewhere=True
    )


def _emulator(_: "Subject", process: "Process", words: tuple[str, ...]) -> Step | None:
    if not words:
        return None
    return Ended(
        None,
        "it is the runtime interface emulator, which is for a laptop: what it starts asks the"
        " emulator for events, and no program asks Lambda",
        posixpath.basename(process.argv[0]),
        "D4",
        "start the program behind it, or choose by AWS_LAMBDA_RUNTIME_API in a script",
    )


_WRAPPERS: Final[dict[str, Wrap]] = {
    "aws-lambda-rie": _emulator,
    "bundle": _bundle,
    "bundler": _bundle,
    "catchsegv": _prefix(),
    "ddtrace-run": _prefix(status=(1, 1)),
    "docker-init": _prefix(takes=["-e", "-p"]),
    "dumb-init": _prefix(takes=["-r", "--rewrite"], status=(2, 2)),
    "env": _env,
    "gosu": _other_user,
    "ionice": _prefix(takes=["-c", "-n"]),
    "newrelic-admin": _newrelic,
    "nice": _prefix(takes=["-n", "--adjustment"]),
    "nohup": _prefix(),
    "opentelemetry-instrument": _otel,
    "pdm": _project,
    "pipenv": _project,
    "poetry": _project,
    "rye": _project,
    "setsid": _prefix(),
    "stdbuf": _prefix(takes=["-e", "-i", "-o"]),
    "su-exec": _other_user,
    "taskset": _prefix(first=1),
    "time": _prefix(takes=["-f", "-o"]),
    "timeout": _prefix(takes=["-k", "-s", "--kill-after", "--signal"], first=1),
    "tini": _prefix(takes=["-e", "-p"]),
    "tini-static": _prefix(takes=["-e", "-p"]),
    "uv": _project,
    **JAVASCRIPT_TOOLS,
}
_SCRIPTS: Final[dict[str, Wrap]] = {
    "/npm/bin/npx-cli.js": JAVASCRIPT_TOOLS["npx"],
    "/npm/bin/npm-cli.js": JAVASCRIPT_TOOLS["npm"],
}
