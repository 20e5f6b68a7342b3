"""Differences of two JSON values, by path."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from release.pipeline.changes.model import ValueChange


def is_same(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same; not, as in Python, ``1`` and ``true``."""
    return as_json(one) == as_json(other)


def as_json(value: Any) -> str:
    """Return a value as JSON in one line, objects sorted."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def value_changes(
    name: str, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[ValueChange]:
    """Yield where the member ``name`` of two objects differs, as deep in it as can be said."""
    yield from _changes(name, old.get(name, _ABSENT), new.get(name, _ABSENT))


class _Absent:
    """No value, which is not null."""


_ABSENT: Final = _Absent()


def _changes(path: str, old: Any, new: Any) -> Iterator[ValueChange]:
    match old, new:
        case (dict(), dict()) if not (_is_intrinsic(old) or _is_intrinsic(new)):
            for name in sorted(old.keys() | new.keys()):
                yield from _changes(f"{path}.{name}", *(v.get(name, _ABSENT) for v in (old, new)))
        case (list(), list()):
            yield from _list_changes(path, old, new)
        case _:
            texts = [None if value is _ABSENT else as_json(value) for value in (old, new)]
            if texts[0] != texts[1]:
                yield ValueChange(path=path, old=texts[0], new=texts[1])


def _list_changes(path: str, old: list[Any], new: list[Any]) -> Iterator[ValueChange]:
    """Compare by place, from the front and, where one is longer, from the end."""
    start, end = 0, 0
    shorter = min(len(old), len(new))
    if len(old) != len(new):
        while start < shorter and is_same(old[start], new[start]):
            start += 1
        while end < shorter - start and is_same(old[-1 - end], new[-1 - end]):
            end += 1
    for place in range(start, max(len(old), len(new)) - end):
        pair = (one[place] if place < len(one) - end else _ABSENT for one in (old, new))
        yield from _changes(f"{path}[{place}]", *pair)


def _is_intrinsic(value: dict[str, Any]) -> bool:
    return len(value) == 1 and all(name == "Ref" or name.startswith("Fn::") for name in value)
