"""The lines of an error: its message, and its hint on a line of its own."""

import re
from collections.abc import Callable

from imagecheck.errors import CommandError


def shown(error: CommandError) -> str:
    """Return the lines that a command prints of it."""
    return str(error) + (f"\nhint: {error.hint}" if error.hint else "")


def shows(pattern: str) -> Callable[[CommandError], bool]:
    """Return a check for ``pytest.raises(..., check=...)`` of these lines."""
    return lambda error: re.search(pattern, shown(error), re.DOTALL) is not None
