"""Reads JSON files that people, editors and git have been at.

What could be read in two ways, or not at all, is refused with a reason that a person can act on.
"""

import codecs
import json
import re
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

import msgspec

_T = TypeVar("_T")
_WIDE: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
_CONFLICT: Final = re.compile(rb"^(?:<{7}|={7}|>{7})(?:[ \r]|$)", re.MULTILINE)


class DamagedFileError(Exception):
    """A file is not what it has to be. Its text is the reason, and a part of a sentence."""


class MergeConflictError(DamagedFileError):
    """Git has left both sides of a merge in the file."""


def read_json_file(path: Path, type_: type[_T]) -> _T:
    """Return what a file holds, as a type of msgspec's.

    It is read once, since it may be a pipe.

    Raises:
        FileNotFoundError: there is no such file.
        DamagedFileError: it cannot be read, or holds something else.

    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise DamagedFileError(error.strerror or str(error)) from error
    return parse_json(content, type_)


def parse_json(content: bytes, type_: type[_T]) -> _T:
    """Return the content of a JSON file as a type of msgspec's. Raises DamagedFileError."""
    text = _text(content)
    try:
        document = json.loads(text, object_pairs_hook=_members, parse_constant=_no_number)
        # An escaped half of a surrogate pair is no text.
        json.dumps(document, ensure_ascii=False).encode()
        return msgspec.convert(document, type_)
    except UnicodeEncodeError as error:
        raise DamagedFileError("it has half of a surrogate pair, which is no text") from error
    except RecursionError as error:
        raise DamagedFileError("it is nested too deeply") from error
    except msgspec.ValidationError as error:
        raise DamagedFileError(str(error)) from error
    except ValueError as error:
        raise DamagedFileError(f"JSON is malformed: {error}") from error


def _text(content: bytes) -> str:
    if not content.strip():
        raise DamagedFileError("it is empty")
    if content.startswith(_WIDE):
        raise DamagedFileError("it is text in UTF-16 or UTF-32, and has to be in UTF-8")
    if content.startswith(codecs.BOM_UTF8):
        raise DamagedFileError("it begins with a byte order mark: save it as UTF-8 without BOM")
    if (at := content.find(b"\0")) >= 0:
        raise DamagedFileError(f"it has a NUL byte {_place(content, at)}")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        place = _place(content, error.start)
        raise DamagedFileError(f"it is not text in UTF-8: {error.reason} {place}") from error
    if mark := _CONFLICT.search(content):
        place = _place(content, mark.start())
        raise MergeConflictError(f"JSON is malformed: a merge conflict begins {place}")
    return text


def _place(content: bytes, at: int) -> str:
    line = content.count(b"\n", 0, at) + 1
    return f"in line {line}"


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise DamagedFileError(f"it has the key {twice!r} twice")
    return members


def _no_number(text: str) -> NoReturn:
    raise DamagedFileError(f"it has {text}, which is no JSON")
