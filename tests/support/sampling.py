"""Some of many slow cases in the normal run, the others as proofs."""

from collections.abc import Iterable
from typing import Any

import pytest

_EVERY = 4


def mostly_proofs(values: Iterable[Any], ids: Iterable[str] | None = None) -> list[Any]:
    """Mark all but each fourth value of a parameter as ``proof``."""
    names = list(ids) if ids is not None else None
    return [
        pytest.param(
            value,
            id=names[number] if names else None,
            marks=[pytest.mark.proof] if number % _EVERY else [],
        )
        for number, value in enumerate(values)
    ]
