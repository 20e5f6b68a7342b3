"""The run of a shell script: the program that it becomes or waits for, or its end."""

import fnmatch
import posixpath
from typing import Final

from imagecheck.image.filesystem import Node
from imagecheck.image.layer import FileKind
from imagecheck.start.shell.branches import Way, run_branches
from imagecheck.start.shell.builtins import (
    change_folder,
    condition_status,
    export,
    make_folders,
    set_options,
)
from imagecheck.start.shell.expand import assignment, fields, one_text
from imagecheck.start.shell.outcome import DoneError, Ends, Outcome, Runs, UnknownOutcome
from imagecheck.start.shell.state import UNKNOWN, State
from imagecheck.start.shell.syntax import (
    CaseCommand,
    Group,
    IfCommand,
    Program,
    SimpleCommand,
    Step,
    UnknownOnLambdaError,
    UnsupportedScriptError,
    parse,
)

MAX_SCRIPT_BYTES: Final = 256 * 1024
_MAX_SOURCED: Final = 5
_NOT_FOUND: Final = 127
_PLAIN: Final = {
    "echo", "printf", "ulimit", "umask", "trap", "shopt", "hash", "alias", "chmod",
}  # fmt: skip
"""What changes nothing here, and succeeds or does not matter."""
_STOPS: Final = {"eval", "read", "wait", "return", "break", "continue", "shift", "getopts", "local"}


def run_script(text: str, state: State) -> Outcome:
    """Run a script as far as it is certain. Raises ImageReadError past the budget."""
    try:
        status = _run(parse(text, state.budget), state, is_last=True)
    except UnsupportedScriptError as error:
        return UnknownOutcome(f"its shell script has {error}")
    except DoneError as done:
        return done.outcome
    except RecursionError:
        return UnknownOutcome("its shell script has commands in commands")
    if status is None:
        return UnknownOutcome("its script ends")
    return Ends(status, "its script is at its end")


def _run(program: Program, state: State, *, is_last: bool) -> int | None:
    """Return the status of the last command; None where it is not known."""
    status: int | None = 0
    waiting = program
    while waiting:
        step, rest = waiting[0], waiting[1:]
        waiting = rest
        state.budget.spend(20)
        if step.joined == "&&" and status not in (0, None):
            continue
        if step.joined == "||" and status in (0, None):
            continue
        state.has_fallback = bool(rest) and rest[0].joined == "||"
        try:
            status = _step(step, state, is_last=is_last and not _goes_on(rest))
        except UnknownOnLambdaError:
            if not rest:
                raise
            if not _is_tested(rest):
                # Where a failure would end the script, what follows is what it is for.
                status = None
                continue
            # What is joined to it is run, or is not.
            end = next((n for n, one in enumerate(rest) if not _is_tested((one,))), len(rest))
            chain, waiting = rest[:end], rest[end:]
            is_end = is_last and not waiting
            status = run_branches(
                [_joined(chain, holds, is_last=is_end) for holds in (0, 1)], state
            )
            continue
        if (
            state.ends_on_error
            and status not in (0, None)
            and not _is_tested(rest)
            and not step.is_negated
        ):
            raise DoneError(Ends(status, "a command of its script fails"))
    return status


def _is_tested(rest: Program) -> bool:
    """Whether the next command depends on the status of the one before it."""
    return bool(rest) and rest[0].joined in ("&&", "||")


def _joined(chain: Program, status: int, *, is_last: bool) -> Way:
    """Run what is joined to a command with that status."""
    first = Step(";", SimpleCommand(("true" if status == 0 else "false",)))
    return lambda state: _run((first, *chain), state, is_last=is_last)


def _goes_on(rest: Program) -> bool:
    """Whether anything follows but what is done when a command fails."""
    return any(step.joined != "||" for step in rest)


def _step(step: Step, state: State, *, is_last: bool) -> int | None:
    if step.is_piped:
        if is_last:
            raise UnsupportedScriptError("a pipe")
        return None
    if step.in_background:
        if is_last:
            raise UnsupportedScriptError("a program in the background")
        return 0
    status = _command(step, state, is_last=is_last)
    if step.is_negated and status is not None:
        return int(status == 0)
    return status


def _command(step: Step, state: State, *, is_last: bool) -> int | None:
    match step.command:
        case Group(program):
            return _run(program, state, is_last=is_last)
        case IfCommand(branches):
            return _if(branches, state, is_last=is_last)
        case CaseCommand(word, branches):
            return _case(word, branches, state, is_last=is_last)
        case SimpleCommand(words):
            return _simple(words, state, is_last=is_last)


def _if(
    branches: tuple[tuple[Program | None, Program], ...], state: State, *, is_last: bool
) -> int | None:
    for number, (condition, body) in enumerate(branches):
        holds = 0 if condition is None else _condition(condition, state)
        if holds == 0:
            return _run(body, state, is_last=is_last)
        if holds is None:
            rest = branches[number + 1 :]
            ways: list[Way] = [
                lambda own: _run(body, own, is_last=is_last),  # noqa: B023  (run at once)
                lambda own: _if(rest, own, is_last=is_last),  # noqa: B023
            ]
            return run_branches(ways, state)
    return 0


def _condition(program: Program, state: State) -> int | None:
    before, state.ends_on_error = state.ends_on_error, False
    try:
        return _run(program, state, is_last=False)
    except UnknownOnLambdaError:
        return None
    finally:
        state.ends_on_error = before


def _case(
    word: str, branches: tuple[tuple[tuple[str, ...], Program], ...], state: State, *, is_last: bool
) -> int | None:
    text = one_text(word, state)
    for patterns, body in branches:
        for pattern in patterns:
            wanted = one_text(pattern, state)
            if wanted != "*" and (UNKNOWN in wanted or UNKNOWN in text):
                raise UnsupportedScriptError("a case that is known only on Lambda")
            if fnmatch.fnmatchcase(text, wanted):
                return _run(body, state, is_last=is_last)
    return 0


def _simple(words: tuple[str, ...], state: State, *, is_last: bool) -> int | None:
    given: dict[str, str] = {}
    at = 0
    while at < len(words) and (found := assignment(words[at])):
        given[found[0]] = one_text(found[1], state)
        at += 1
    if at == len(words):
        state.variables |= given
        return 0
    if words[at] in ("[[", "["):
        return condition_status(words[at:], state)
    if words[at] == "test":
        return condition_status(("[", *words[at + 1 :], "]"), state)
    argv = [field for word in words[at:] for field in fields(word, state)]
    if not argv:
        return 0
    return _execute(argv, given, state, is_last=is_last)


def _execute(argv: list[str], given: dict[str, str], state: State, *, is_last: bool) -> int | None:
    name, arguments = argv[0], argv[1:]
    match name:
        case ":" | "true":
            return 0
        case "false":
            return 1
        case "export" | "readonly" | "declare" | "typeset":
            export(arguments, state)
            return 0
        case "unset":
            for one in arguments:
                state.variables.pop(one, None)
            return 0
        case "set":
            return set_options(arguments, state)
        case "cd":
            return change_folder(arguments, state)
        case "source" if state.shell == "dash":
            return _NOT_FOUND
        case "." | "source":
            return _source(arguments, state, is_last=is_last)
        case "mkdir":
            return make_folders(arguments, state)
        case "exit":
            status = arguments[0] if arguments else "0"
            if not status.isdigit():
                raise UnsupportedScriptError("an exit status that is known only on Lambda")
            raise DoneError(Ends(int(status), "its script ends"))
        case "command" if arguments[:1] == ["-v"] and len(arguments) == 2:  # noqa: PLR2004
            found_path = state.command(arguments[1])
            return None if found_path == UNKNOWN else int(found_path is None)
        case "exec":
            return _exec(arguments, given, state)
    if name in _STOPS:
        raise UnsupportedScriptError(f"a {name}")
    if name in {"command", "builtin"}:
        return _execute(arguments, given, state, is_last=is_last) if arguments else 0
    if name in _PLAIN:
        return 0
    path = state.command(name)
    if is_last and not (path is None and state.has_fallback):
        raise DoneError(_runs(argv, given, state))
    return _NOT_FOUND if path is None else None


def _runs(argv: list[str], given: dict[str, str], state: State) -> Outcome:
    if UNKNOWN in argv[0]:
        return UnknownOutcome("the name of the program is known only on Lambda")
    return Runs(tuple(argv), state.environment() | given, state.workdir)


def _exec(arguments: list[str], given: dict[str, str], state: State) -> int:
    while arguments[:1] in (["-a"], ["-c"], ["-l"], ["--"]):
        arguments = arguments[2:] if arguments[0] == "-a" else arguments[1:]
    if not arguments:
        return 0
    raise DoneError(_runs(arguments, given, state))


def _source(arguments: list[str], state: State, *, is_last: bool) -> int | None:
    path = arguments[0] if arguments else ""
    node = state.find(path)
    if "/" in path and node is None and state.shell:
        if state.shell == "bash":
            return 1
        raise DoneError(Ends(2, f"it reads {path}, which is not there"))
    if "/" not in path or not isinstance(node, Node) or node.kind is not FileKind.FILE:
        raise UnsupportedScriptError(f"a file that it reads: {path.replace(UNKNOWN, '…')}")
    if path.endswith("/bin/activate"):
        # A virtual environment's own script, which is too long to be read here.
        folder = posixpath.dirname(posixpath.join(state.workdir, path))
        state.variables["VIRTUAL_ENV"] = posixpath.dirname(folder)
        state.variables["PATH"] = f"{folder}:{state.value('PATH') or ''}"
        state.exported |= {"PATH", "VIRTUAL_ENV"}
        return 0
    if state.depth >= _MAX_SOURCED or node.entry.size > MAX_SCRIPT_BYTES:
        raise UnsupportedScriptError(f"a file that it reads: {path}")
    text = state.read(node).decode("utf-8", "replace")
    state.depth += 1
    try:
        return _run(parse(text, state.budget), state, is_last=is_last)
    finally:
        state.depth -= 1
