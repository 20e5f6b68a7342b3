"""Words of a script, expanded: variables, quotes, a few commands."""

import fnmatch
import posixpath
import re
from typing import Final

from imagecheck.image.filesystem import Node
from imagecheck.start.shell.state import UNKNOWN, State
from imagecheck.start.shell.syntax import UnsupportedScriptError, quoted_end

_NAME: Final = re.compile(r"[A-Za-z_]\w*")
_PARAMETER: Final = re.compile(r"([A-Za-z_]\w*|[0-9]+|[@*#?$!-])(.*)", re.DOTALL)
_ASSIGNMENT: Final = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_GLOB: Final = "*?["
_SEPARATOR: Final = "\1"
"""Stands between fields that expand from one word."""
_NOTHING: Final = "\2"
"""Stands for a "$@" of no arguments, which is not an argument itself."""


def assignment(word: str) -> tuple[str, str] | None:
    """Split ``NAME=value``; None for another word."""
    match = _ASSIGNMENT.fullmatch(word)
    return (match[1], match[2]) if match else None


def fields(word: str, state: State) -> list[str]:
    """Expand a word to the arguments that it becomes. Raises UnsupportedScriptError."""
    text, has_quotes = _expanded(word, state, split=True)
    if not text and not has_quotes:
        return []
    found = text.split(_SEPARATOR)
    if len(found) > 1:
        found = [one for one in found if one] if not has_quotes else found
    return [one.replace(_NOTHING, "") for one in found if one != _NOTHING]


def one_text(word: str, state: State) -> str:
    """Expand a word that stays one. Raises UnsupportedScriptError."""
    return _expanded(word, state, split=False)[0].replace(_NOTHING, "")


def _expanded(word: str, state: State, *, split: bool) -> tuple[str, bool]:
    result: list[str] = []
    at = 0
    has_quotes = False
    if word.startswith("~"):
        result.append(UNKNOWN)
        at = len(word) if "/" not in word else word.index("/")
    while at < len(word):
        end = quoted_end(word, at)
        part = word[at:end]
        if part[0] == "'":
            result.append(part[1:-1])
            has_quotes = True
        elif part[0] == '"':
            has_quotes = True
            result.append(_in_quotes(part[1:-1], state, split=split))
        elif part[0] == "\\":
            result.append(part[1:])
            has_quotes = True
        elif part[0] in "$`":
            part, end = _whole(word, at, end)
            value = _substituted(part, state, in_quotes=False)
            result.append(_SEPARATOR.join(value.split()) if split and value.strip() == value
                          else _split_open(value) if split else value)  # fmt: skip
        elif split and part in _GLOB and not _is_literal(word, at, state):
            # What it matches is known, but not what else the folder gets.
            result.append(UNKNOWN)
        else:
            result.append(part)
        at = end
    return "".join(result), has_quotes


def _is_literal(word: str, at: int, state: State) -> bool:
    """Whether a bracket stands for itself: it has no end, or no file has a name of one sign."""
    if word[at] != "[" or "*" in word or "?" in word:
        return False
    if "]" not in word[at + 2 :]:
        return True
    folder = state.find(".")
    is_all = word[0] == "[" and word.index("]", 2) == len(word) - 1
    return is_all and isinstance(folder, Node) and all(len(name) > 1 for name in folder.children)


def _split_open(value: str) -> str:
    text = _SEPARATOR.join(value.split())
    before = _SEPARATOR if value[:1].isspace() else ""
    after = _SEPARATOR if value[-1:].isspace() and text else ""
    return f"{before}{text}{after}"


def _whole(word: str, at: int, end: int) -> tuple[str, int]:
    """Take the name of ``$name`` in."""
    if word[at] == "$" and end == at + 1:
        match = _NAME.match(word, end)
        if match:
            return word[at : match.end()], match.end()
        if word[end : end + 1] and word[end] in "0123456789@*#?$!-":
            return word[at : end + 1], end + 1
    return word[at:end], end


def _in_quotes(text: str, state: State, *, split: bool) -> str:
    result: list[str] = []
    at = 0
    while at < len(text):
        char = text[at]
        if char == "\\" and text[at + 1 : at + 2] in ("$", "`", '"', "\\", "\n"):
            result.append(text[at + 1].replace("\n", ""))
            at += 2
            continue
        if char not in "$`":
            result.append(char)
            at += 1
            continue
        part, at = _whole(text, at, quoted_end(text, at))
        if part in ("$@", "${@}"):
            joined = _SEPARATOR if split else " "
            # A "$@" of nothing is not an argument, where "" is one.
            result.append(joined.join(state.arguments) if state.arguments else _NOTHING)
        else:
            result.append(_substituted(part, state, in_quotes=True))
    return "".join(result)


def _substituted(part: str, state: State, *, in_quotes: bool) -> str:
    state.budget.spend(5)
    if part == "$":
        return "$"
    if part.startswith("`"):
        return _command(part[1:-1], state)
    if part.startswith("$(("):
        return UNKNOWN
    if part.startswith("$("):
        return _command(part[2:-1], state)
    body = part[2:-1] if part.startswith("${") else part[1:]
    if body.startswith("#") and len(body) > 1:
        return str(len(_value(body[1:], state) or "")) if _is_known(body[1:], state) else UNKNOWN
    match = _PARAMETER.fullmatch(body)
    if match is None:
        raise UnsupportedScriptError(f"{part}")
    name, rest = match.groups()
    if name in "@*" and not in_quotes and not rest:
        return " ".join(state.arguments)
    return _modified(name, rest, _value(name, state), state)


def _value(name: str, state: State) -> str | None:
    if name.isdigit():
        number = int(name)
        if number == 0:
            return state.name
        return state.arguments[number - 1] if number <= len(state.arguments) else None
    if name in "@*":
        return " ".join(state.arguments) if state.arguments else None
    if name == "#":
        return str(len(state.arguments))
    if name in "?$!-":
        return UNKNOWN
    return state.value(name)


def _is_known(name: str, state: State) -> bool:
    return UNKNOWN not in (_value(name, state) or "")


def _modified(name: str, rest: str, value: str | None, state: State) -> str:
    if not rest:
        return value or ""
    colon, rest = (":", rest[1:]) if rest[0] == ":" else ("", rest)
    mark, word = rest[:1], rest[1:]
    is_given = bool(value) if colon else value is not None
    if mark in ("-", "="):
        if is_given:
            return value or ""
        text = one_text(word, state)
        if mark == "=":
            state.variables[name] = text
        return text
    if mark == "+":
        return one_text(word, state) if is_given else ""
    if mark == "?":
        if is_given:
            return value or ""
        raise UnsupportedScriptError(f"${name}, which has to be set")
    if mark in "#%" and not colon:
        is_longest = word.startswith(mark)
        pattern = one_text(word.removeprefix(mark), state)
        if UNKNOWN in pattern or UNKNOWN in (value or ""):
            return UNKNOWN
        return _without(value or "", mark, pattern, longest=is_longest)
    raise UnsupportedScriptError(f"${{{name}{colon}{rest}}}")


def _without(value: str, mark: str, pattern: str, *, longest: bool) -> str:
    """Take a prefix (``#``) or suffix (``%``) away that a pattern matches."""
    lengths = range(len(value) + 1)
    for length in reversed(lengths) if longest else lengths:
        part = value[:length] if mark == "#" else value[len(value) - length :]
        if fnmatch.fnmatchcase(part, pattern):
            return value[length:] if mark == "#" else value[: len(value) - length]
    return value


def _command(text: str, state: State) -> str:
    """Return what a command prints that is inside another, where that is certain."""
    words = [one_text(word, state) for word in text.split()]
    if any(mark in text for mark in "|;&<>"):
        text = text.replace("2>/dev/null", "")
        words = [one_text(word, state) for word in text.split()]
        if any(mark in text for mark in "|;&<>"):
            return UNKNOWN
    match words:
        case ["command", "-v", name] | ["which", name]:
            return state.command(name) or ""
        case ["dirname", path] if UNKNOWN not in path:
            return posixpath.dirname(path.rstrip("/")) or "."
        case ["basename", path] if UNKNOWN not in path:
            return posixpath.basename(path.rstrip("/"))
        case ["pwd"]:
            return state.workdir
        case ["id", "-u"]:
            return "993"
        case ["id", "-g"]:
            return "990"
        case ["uname", "-m"]:
            return state.machine_name
        case ["uname"] | ["uname", "-s"]:
            return "Linux"
        case ["echo", *rest] if not any(word.startswith("-") for word in rest):
            return " ".join(rest)
    return UNKNOWN
