"""A strict JSON reader: it refuses what Python and Node could read in two ways."""

import json
import math
from typing import Any, Final, NoReturn

from release.pipeline.changes.sources import UnreadableError

_MAX_DEPTH: Final = 60
# Beyond it, JavaScript's numbers are no longer each their own.
_MAX_INTEGER: Final = 2**53
# In JavaScript, what has a member of one of these names is not what it seems. No template has one.
_JAVASCRIPT_NAMES: Final = frozenset(
    (
        "__proto__",
        "__defineGetter__",
        "__defineSetter__",
        "__lookupGetter__",
        "__lookupSetter__",
        "constructor",
        "hasOwnProperty",
        "isPrototypeOf",
        "propertyIsEnumerable",
        "toLocaleString",
        "toString",
        "valueOf",
    )
)


def read_object(content: bytes) -> dict[str, Any]:
    """Return a JSON object. Raises UnreadableError; its message quotes nothing of the content."""
    try:
        document = json.loads(
            content.decode(),
            object_pairs_hook=_members,
            parse_constant=_no_number,
            parse_float=_float,
            parse_int=_integer,
        )
        _require_shallow(document)
        # An escaped half of a surrogate pair is no text.
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeError:
        raise UnreadableError("it is not text in UTF-8") from None
    except RecursionError:
        raise UnreadableError(_TOO_DEEP) from None
    except ValueError:
        raise UnreadableError("it is not valid JSON") from None
    if not isinstance(document, dict):
        raise UnreadableError("it is not a JSON object")
    return document


_TOO_DEEP: Final = f"it is nested more than {_MAX_DEPTH} deep"


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise UnreadableError("it has an object with the same key twice")
    if not _JAVASCRIPT_NAMES.isdisjoint(members):
        raise UnreadableError("it has a key that every JavaScript object has")
    return members


def _no_number(_text: str) -> NoReturn:
    raise UnreadableError(_NUMBER)


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise UnreadableError(_NUMBER)
    return number


def _integer(text: str) -> int:
    # Python refuses to read thousands of digits.
    if len(text) > len(str(_MAX_INTEGER)) + 1 or abs(number := int(text)) > _MAX_INTEGER:
        raise UnreadableError(_NUMBER)
    return number


_NUMBER: Final = "it has a number that not every program reads the same way"


def _require_shallow(document: Any) -> None:
    level = [document]
    for _ in range(_MAX_DEPTH):
        level = [child for one in level for child in _children(one)]
        if not level:
            return
    raise UnreadableError(_TOO_DEEP)


def _children(value: Any) -> list[Any]:
    match value:
        case dict():
            return list(value.values())
        case list():
            return value
        case _:
            return []
