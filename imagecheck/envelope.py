"""The JSON that every command prints: one object, with the same frame around each result."""

import json
from collections.abc import Mapping
from typing import Any, Final

VERSION: Final = 1
"""Of the frame. It grows when a key changes its meaning or goes; new keys may come at any time."""


def envelope(
    command: str, result: Mapping[str, Any], *, ok: bool, error: Mapping[str, Any] | None = None
) -> str:
    """Return the JSON of a command's answer: the frame, and the keys of the result beside it.

    ``{"version", "command", "ok", ..., "error"?: {"code", "message", "hint", "details"}}``. Keys
    are in camelCase. ``ok`` is true where the exit status is 0. ``error`` is there where the
    command did not come to an answer, or the answer is no for one reason.
    """
    document = {"version": VERSION, "command": command, "ok": ok, **result}
    if error is not None:
        document["error"] = dict(error)
    return printable_json(document)


def printable_json(document: Any) -> str:
    """Write JSON that no terminal obeys, in readable characters."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    # Terminals obey more characters than JSON has to escape. DEL is the only one in ASCII.
    return "".join(
        c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1].replace("\x7f", "\\u007f")
        for c in text
    )
