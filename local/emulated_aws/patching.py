"""Patches of moto, which are taken out again when the account ends."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

_NOTHING = object()


class Patch(NamedTuple):
    """A replacement for an attribute of moto's, or a new attribute."""

    owner: Any
    """A class or a module."""
    name: str
    value: Any


@contextmanager
def patched(patches: Iterable[Patch]) -> Iterator[None]:
    """Apply all patches, and restore moto's own attributes on leaving."""
    originals: list[Patch] = []
    try:
        for owner, name, value in patches:
            originals.append(Patch(owner, name, vars(owner).get(name, _NOTHING)))
            setattr(owner, name, value)
        yield
    finally:
        for owner, name, value in reversed(originals):
            if value is _NOTHING:
                delattr(owner, name)
            else:
                setattr(owner, name, value)
