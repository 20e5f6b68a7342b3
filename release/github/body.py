"""What a comment or a pull request says: Markdown, no longer than GitHub takes."""

import sys
from pathlib import Path
from typing import Final

from release.errors import CannotDoError

MAX_CHARACTERS: Final = 65_536
"""Of a comment, and of a pull request's text; GitHub answers 422 to more, and documents no limit.

It counts code points.
"""


def read_body(file: str) -> str:
    """Read a text from a file, or from the input where that is ``-``.

    Raises CannotDoError when it cannot be read, or is no text.
    """
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return content.decode()
    except OSError as error:
        raise CannotDoError(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise CannotDoError(f"{file} is not a text in UTF-8") from None


def fitting(body: str, limit: int = MAX_CHARACTERS) -> str:
    """Cut a text at the end of a line, where it is too long, and say so in front.

    In front, because what is cut may end inside a code block or something folded.
    """
    if len(body) <= limit:
        return body
    notice = (
        f"**This is only the beginning:** the whole has {len(body):,} characters, and GitHub takes"
        f" {MAX_CHARACTERS:,}.\n\n"
    )
    kept = body[: limit - len(notice) + 1]
    # A line that alone is too long is cut where the room ends.
    kept = kept[: kept.rfind("\n")] if "\n" in kept else kept[:-1]
    return notice + kept


def lines(text: str) -> str:
    """Return a text without what GitHub may change: line ends, and space around."""
    return text.replace("\r\n", "\n").strip()
