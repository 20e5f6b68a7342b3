"""What a script comes to: the program that it becomes or waits for, or its end."""

import fnmatch
import posixpath
from typing import Final

from imagecheck.image.filesystem import Node
from imagecheck.image.layer import Kind
from imagecheck.start.shell.conditions import is_true
from imagecheck.start.shell.either import Way, run_either
from imagecheck.start.shell.expand import assignment, fields, one_text
from imagecheck.start.shell.outcome import DoneError, Ends, Outcome, Runs, Unclear
from imagecheck.start.shell.state import UNKNOWN, State
from imagecheck.start.shell.syntax import (
    Case,
    Group,
    If,
    Program,
    Simple,
    Step,
    TooHardError,
    UnsureError,
    parse,
)

MAX_SCRIPT_BYTES: Final = 256 * 1024
_MAX_SOURCED: Final = 5
_NOT_FOUND: Final = 127
_PLAIN: Final = {
    "echo", "printf", "ulimit", "umask", "trap", "shopt", "hash", "alias", "chmod",
}  # fmt: skip
"""What changes nothing here, and succeeds or does not matter."""
_OF_MKDIR: Final = {"-p", "--parents", "-pv", "-vp", "-v"}
"""Options of mkdir without a word of their own."""
_STOPS: Final = {"eval", "read", "wait", "return", "break", "continue", "shift", "getopts", "local"}


def run_script(text: str, state: State) -> Outcome:
    """Run a script as far as it is certain. Raises CannotLookError past the budget."""
    try:
        status = _run(parse(text, state.budget), state, is_last=True)
    except TooHardError as error:
        return Unclear(f"its shell script has {error}")
    except DoneError as done:
        return done.outcome
    except RecursionError:
        return Unclear("its shell script has commands in commands")
    if status is None:
        return Unclear("its script ends")
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
        except UnsureError:
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
            status = run_either([_joined(chain, holds, is_last=is_end) for holds in (0, 1)], state)
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
    first = Step(";", Simple(("true" if status == 0 else "false",)))
    return lambda state: _run((first, *chain), state, is_last=is_last)


def _goes_on(rest: Program) -> bool:
    """Whether anything follows but what is done when a command fails."""
    return any(step.joined != "||" for step in rest)


def _step(step: Step, state: State, *, is_last: bool) -> int | None:
    if step.is_piped:
        if is_last:
            raise TooHardError("a pipe")
        return None
    if step.in_background:
        if is_last:
            raise TooHardError("a program in the background")
        return 0
    status = _command(step, state, is_last=is_last)
    if step.is_negated and status is not None:
        return int(status == 0)
    return status


def _command(step: Step, state: State, *, is_last: bool) -> int | None:
    match step.command:
        case Group(program):
            return _run(program, state, is_last=is_last)
        case If(branches):
            return _if(branches, state, is_last=is_last)
        case Case(word, branches):
            return _case(word, branches, state, is_last=is_last)
        case Simple(words):
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
            return run_either(ways, state)
    return 0


def _condition(program: Program, state: State) -> int | None:
    before, state.ends_on_error = state.ends_on_error, False
    try:
        return _run(program, state, is_last=False)
    except UnsureError:
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
                raise TooHardError("a case that is known only on Lambda")
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
        return _test(words[at:], state)
    if words[at] == "test":
        return _test(("[", *words[at + 1 :], "]"), state)
    argv = [field for word in words[at:] for field in fields(word, state)]
    if not argv:
        return 0
    return _execute(argv, given, state, is_last=is_last)


def _test(words: tuple[str, ...], state: State) -> int | None:
    for word in words:
        _require_sure(word, state)
    if words[0] == "[[":
        if words[-1] != "]]":
            raise TooHardError("[[ with more than one condition")
        found = is_true([one_text(word, state) for word in words[1:-1]], state, patterns=True)
    else:
        argv = [field for word in words[1:] for field in fields(word, state)]
        if argv[-1:] != ["]"]:
            raise TooHardError("something that no shell takes")
        found = is_true(argv[:-1], state)
    if found is None:
        raise UnsureError("a condition that is known only on Lambda")
    return int(not found)


def _require_sure(word: str, state: State) -> None:
    """Raise TooHardError where a condition asks for a variable that the function may set."""
    for part in word.replace("{", "").split("$")[1:]:
        name = part[
            : len(part)
            - len(part.lstrip("_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"))
        ]
        if name and not name[0].isdigit() and state.value(name) is None and not state.is_sure(name):
            raise UnsureError(f"a condition with ${name}, which the function may set")


def _execute(argv: list[str], given: dict[str, str], state: State, *, is_last: bool) -> int | None:
    name, arguments = argv[0], argv[1:]
    match name:
        case ":" | "true":
            return 0
        case "false":
            return 1
        case "export" | "readonly" | "declare" | "typeset":
            _export(arguments, state)
            return 0
        case "unset":
            for one in arguments:
                state.variables.pop(one, None)
            return 0
        case "set":
            return _set(arguments, state)
        case "cd":
            return _cd(arguments, state)
        case "source" if state.shell == "dash":
            return _NOT_FOUND
        case "." | "source":
            return _source(arguments, state, is_last=is_last)
        case "mkdir":
            return _mkdir(arguments, state)
        case "exit":
            status = arguments[0] if arguments else "0"
            if not status.isdigit():
                raise TooHardError("an exit status that is known only on Lambda")
            raise DoneError(Ends(int(status), "its script ends"))
        case "command" if arguments[:1] == ["-v"] and len(arguments) == 2:  # noqa: PLR2004
            found_path = state.command(arguments[1])
            return None if found_path == UNKNOWN else int(found_path is None)
        case "exec":
            return _exec(arguments, given, state)
    if name in _STOPS:
        raise TooHardError(f"a {name}")
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
        return Unclear("the name of the program is known only on Lambda")
    return Runs(tuple(argv), state.environment() | given, state.workdir)


def _exec(arguments: list[str], given: dict[str, str], state: State) -> int:
    while arguments[:1] in (["-a"], ["-c"], ["-l"], ["--"]):
        arguments = arguments[2:] if arguments[0] == "-a" else arguments[1:]
    if not arguments:
        return 0
    raise DoneError(_runs(arguments, given, state))


def _export(arguments: list[str], state: State) -> None:
    for argument in arguments:
        if argument.startswith("-"):
            continue
        found = assignment(argument)
        if found:
            state.variables[found[0]] = found[1]
        state.exported.add(found[0] if found else argument)


def _set(arguments: list[str], state: State) -> int:
    while arguments:
        word = arguments.pop(0)
        if word == "--":
            state.arguments = arguments
            break
        if word in ("-o", "+o"):
            option = arguments.pop(0) if arguments else ""
            _require_option(option, state)
            if option == "errexit":
                state.ends_on_error = word == "-o"
            continue
        if word[:1] not in ("-", "+") or len(word) == 1:
            state.arguments = [word, *arguments]
            break
        if "e" in word:
            state.ends_on_error = word[0] == "-"
        if word.endswith("o") and arguments:
            _require_option(arguments.pop(0), state)
    return 0


def _require_option(option: str, state: State) -> None:
    """End a dash that does not know an option: only its later versions have pipefail."""
    if option != "pipefail" or state.shell != "dash" or state.program is None:
        return
    if option.encode() not in state.read(state.program):
        raise DoneError(Ends(2, f"{state.program.path} has no option {option}, as bash has it"))


def _mkdir(arguments: list[str], state: State) -> int | None:
    """Make folders, which succeeds where they are there: all else of the image is read-only."""
    may_be_there = False
    statuses: list[int | None] = []
    words = iter(arguments)
    for one in words:
        if one in _OF_MKDIR:
            may_be_there |= "p" in one
            continue
        if one == "-m":
            next(words, None)
            continue
        if one.startswith("-"):
            return None
        node = state.find(one)
        is_known = isinstance(node, Node) or node is None
        is_there = isinstance(node, Node) and node.kind is Kind.DIRECTORY
        statuses.append(int(not (is_there and may_be_there)) if is_known else None)
    return 1 if 1 in statuses else None if None in statuses else 0


def _cd(arguments: list[str], state: State) -> int | None:
    target = [one for one in arguments if one not in ("--", "-P", "-L")]
    if len(target) != 1 or target[0] == "-" or UNKNOWN in target[0]:
        raise TooHardError("a cd to where only Lambda knows")
    node = state.find(target[0])
    path = posixpath.normpath(posixpath.join(state.workdir, target[0]))
    if isinstance(node, bool):
        state.workdir = path
        return None
    if node is None or node.kind is not Kind.DIRECTORY or not node.is_executable():
        return 1
    state.workdir = path
    return 0


def _source(arguments: list[str], state: State, *, is_last: bool) -> int | None:
    path = arguments[0] if arguments else ""
    node = state.find(path)
    if "/" in path and node is None and state.shell:
        if state.shell == "bash":
            return 1
        raise DoneError(Ends(2, f"it reads {path}, which is not there"))
    if "/" not in path or not isinstance(node, Node) or node.kind is not Kind.FILE:
        raise TooHardError(f"a file that it reads: {path.replace(UNKNOWN, '…')}")
    if path.endswith("/bin/activate"):
        # A virtual environment's own script, which is too long to be read here.
        folder = posixpath.dirname(posixpath.join(state.workdir, path))
        state.variables["VIRTUAL_ENV"] = posixpath.dirname(folder)
        state.variables["PATH"] = f"{folder}:{state.value('PATH') or ''}"
        state.exported |= {"PATH", "VIRTUAL_ENV"}
        return 0
    if state.depth >= _MAX_SOURCED or node.entry.size > MAX_SCRIPT_BYTES:
        raise TooHardError(f"a file that it reads: {path}")
    text = state.read(node).decode("utf-8", "replace")
    state.depth += 1
    try:
        return _run(parse(text, state.budget), state, is_last=is_last)
    finally:
        state.depth -= 1
