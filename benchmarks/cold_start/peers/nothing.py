"""A handler that does nothing: the interpreter and the runtime client alone."""

from __future__ import annotations

from typing import Any


def handler(_event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer."""
    return {"statusCode": 200, "body": "{}"}
