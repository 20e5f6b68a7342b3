"""Some of many slow cases in the normal run, the others as proofs."""

from collections.abc import Iterable
from typing import Any

import pytest

_EVERY = 4


def mostly_proofs(values: Iterable[Any], ids: Iterable[str] | None = None) -> list[Any]:
    """Mark all but each fourth value of a parameter as ``proof``."""
    return mostly_proofs_of(((value,) for value in values), ids)


def mostly_proofs_of(
    rows: Iterable[tuple[Any, ...]], ids: Iterable[str] | None = None
) -> list[Any]:
    """Mark all but each fourth row of values for several parameters as ``proof``."""
    names = list(ids) if ids is not None else None
    return [
        pytest.param(
            *row,
            id=names[number] if names else None,
            marks=[pytest.mark.proof] if number % _EVERY else [],
        )
        for number, row in enumerate(rows)
    ]
