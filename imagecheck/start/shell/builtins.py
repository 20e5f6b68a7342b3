"""The commands ``test``, ``export``, ``set``, ``mkdir`` and ``cd``: what they do to a shell."""

import posixpath
from typing import Final

from imagecheck.image.filesystem import Node
from imagecheck.image.layer import FileKind
from imagecheck.start.shell.conditions import is_true
from imagecheck.start.shell.expand import assignment, fields, one_text
from imagecheck.start.shell.outcome import DoneError, Ends
from imagecheck.start.shell.state import UNKNOWN, State
from imagecheck.start.shell.syntax import UnknownOnLambdaError, UnsupportedScriptError

_OF_MKDIR: Final = {"-p", "--parents", "-pv", "-vp", "-v"}
"""Options of mkdir without a word of their own."""


def condition_status(words: tuple[str, ...], state: State) -> int | None:
    """Return the status of ``test``, ``[`` or ``[[``. Raises UnknownOnLambdaError."""
    for word in words:
        _require_sure(word, state)
    if words[0] == "[[":
        if words[-1] != "]]":
            raise UnsupportedScriptError("[[ with more than one condition")
        found = is_true([one_text(word, state) for word in words[1:-1]], state, patterns=True)
    else:
        argv = [field for word in words[1:] for field in fields(word, state)]
        if argv[-1:] != ["]"]:
            raise UnsupportedScriptError("something that no shell takes")
        found = is_true(argv[:-1], state)
    if found is None:
        raise UnknownOnLambdaError("a condition that is known only on Lambda")
    return int(not found)


def _require_sure(word: str, state: State) -> None:
    """Raise UnknownOnLambdaError for a condition with a variable that the function may set."""
    for part in word.replace("{", "").split("$")[1:]:
        name = part[
            : len(part)
            - len(part.lstrip("_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"))
        ]
        if name and not name[0].isdigit() and state.value(name) is None and not state.is_sure(name):
            raise UnknownOnLambdaError(f"a condition with ${name}, which the function may set")


def export(arguments: list[str], state: State) -> None:
    """Export variables, and set those that have a value."""
    for argument in arguments:
        if argument.startswith("-"):
            continue
        found = assignment(argument)
        if found:
            state.variables[found[0]] = found[1]
        state.exported.add(found[0] if found else argument)


def set_options(arguments: list[str], state: State) -> int:
    """Set the options and arguments of the shell, as far as they matter here."""
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


def make_folders(arguments: list[str], state: State) -> int | None:
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
        is_there = isinstance(node, Node) and node.kind is FileKind.DIRECTORY
        statuses.append(int(not (is_there and may_be_there)) if is_known else None)
    return 1 if 1 in statuses else None if None in statuses else 0


def change_folder(arguments: list[str], state: State) -> int | None:
    """Change the working directory; the status is None where only Lambda knows."""
    target = [one for one in arguments if one not in ("--", "-P", "-L")]
    if len(target) != 1 or target[0] == "-" or UNKNOWN in target[0]:
        raise UnsupportedScriptError("a cd to where only Lambda knows")
    node = state.find(target[0])
    path = posixpath.normpath(posixpath.join(state.workdir, target[0]))
    if isinstance(node, bool):
        state.workdir = path
        return None
    if node is None or node.kind is not FileKind.DIRECTORY or not node.is_executable():
        return 1
    state.workdir = path
    return 0
