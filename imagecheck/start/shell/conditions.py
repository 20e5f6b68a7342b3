"""The result of ``test`` and its brackets, where it is certain."""

import fnmatch

from imagecheck.image.filesystem import Node
from imagecheck.image.layer import FileKind
from imagecheck.start.shell.state import UNKNOWN, State

_NUMBERS = {
    "-eq": lambda a, b: a == b, "-ne": lambda a, b: a != b, "-lt": lambda a, b: a < b,
    "-le": lambda a, b: a <= b, "-gt": lambda a, b: a > b, "-ge": lambda a, b: a >= b,
}  # fmt: skip


def is_true(words: list[str], state: State, *, patterns: bool = False) -> bool | None:
    """Judge the words between the brackets; None where only Lambda knows.

    ``patterns``: whether a right side is a pattern, as in ``[[``.
    """
    for operator, decide in (("-o", any), ("-a", all)):
        if operator in words[1:-1] and len(words) > 3:  # noqa: PLR2004  (one comparison)
            at = words.index(operator, 1)
            sides = [is_true(part, state) for part in (words[:at], words[at + 1 :])]
            return None if None in sides else decide(side is True for side in sides)
    match words:
        case []:
            return False
        case ["!", *rest]:
            found = is_true(rest, state, patterns=patterns)
            return None if found is None else not found
        case [text]:
            return _of_text(text)
        case ["-n", text]:
            return _of_text(text)
        case ["-z", text]:
            found = _of_text(text)
            return None if found is None else not found
        case [option, path] if option in ("-f", "-e", "-d", "-x", "-r", "-s", "-L", "-h", "-w"):
            return _of_file(option, path, state)
        case [left, "=" | "==", right]:
            return _equal(left, right, patterns=patterns)
        case [left, "!=", right]:
            found = _equal(left, right, patterns=patterns)
            return None if found is None else not found
        case [left, operator, right] if operator in _NUMBERS:
            if left.lstrip("-").isdigit() and right.lstrip("-").isdigit():
                return bool(_NUMBERS[operator](int(left), int(right)))
    return None


def _of_text(text: str) -> bool | None:
    known = text.replace(UNKNOWN, "")
    return True if known else None if UNKNOWN in text else False


def _equal(left: str, right: str, *, patterns: bool) -> bool | None:
    if UNKNOWN in left or UNKNOWN in right:
        return None
    return fnmatch.fnmatchcase(left, right) if patterns else left == right


def _of_file(option: str, path: str, state: State) -> bool | None:
    node = state.find(path)
    if isinstance(node, bool) or option in ("-L", "-h"):
        return None
    if not isinstance(node, Node) or not path:
        return False
    return {
        "-e": True,
        "-f": node.kind is FileKind.FILE,
        "-d": node.kind is FileKind.DIRECTORY,
        "-x": node.is_executable(),
        "-r": node.is_readable(),
        "-s": node.entry.size > 0,
        "-w": False,
    }[option]
