"""moto, mended for a while: what is put in place of its own goes with the account."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

_NOTHING = object()


class Mend(NamedTuple):
    """What takes the place of an attribute of moto's, or is added to it."""

    owner: Any
    """A class or a module."""
    name: str
    value: Any


@contextmanager
def mended(mends: Iterable[Mend]) -> Iterator[None]:
    """Put all in place, and take them out again, so that moto is as it was."""
    before: list[Mend] = []
    try:
        for owner, name, value in mends:
            before.append(Mend(owner, name, vars(owner).get(name, _NOTHING)))
            setattr(owner, name, value)
        yield
    finally:
        for owner, name, value in reversed(before):
            if value is _NOTHING:
                delattr(owner, name)
            else:
                setattr(owner, name, value)
