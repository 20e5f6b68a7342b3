"""The text of a comment or a pull request: Markdown, no longer than GitHub takes."""

import sys
from pathlib import Path
from typing import Final

from imagecheck.errors import FailedError

MAX_CHARACTERS: Final = 65_536
"""Of a comment, and of a pull request's text; GitHub answers 422 to more, and documents no limit.

It counts code points.
"""


def read_body(file: str) -> str:
    """Read a text from a file, or from the input where that is ``-``.

    Raises FailedError when it cannot be read, or is no text.
    """
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return content.decode()
    except OSError as error:
        raise FailedError(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise FailedError(f"{file} is not text in UTF-8") from error


def fitting(body: str, limit: int = MAX_CHARACTERS) -> str:
    """Cut a text that is too long at the end of a line, with a notice in front.

    In front, because the cut may be inside a code block or a folded part.
    """
    if len(body) <= limit:
        return body
    notice = (
        f"**This is only the beginning:** the whole text has {len(body):,} characters, and GitHub"
        f" takes {MAX_CHARACTERS:,}.\n\n"
    )
    kept = body[: limit - len(notice) + 1]
    # A single line that is too long is cut at the limit.
    kept = kept[: kept.rfind("\n")] if "\n" in kept else kept[:-1]
    return notice + kept


def lines(text: str) -> str:
    """Return a text without what GitHub may change: line ends, and space around."""
    return text.replace("\r\n", "\n").strip()
