"""What Schemathesis must be told of the API: who sends a request, and what the document cannot say.

Its command line loads this module, in a process of its own.
"""

import re
import unicodedata
import uuid
from collections import defaultdict
from typing import Any

import schemathesis

from lambda_src.rooms import codes, names, tokens
from lambda_src.rooms.characters import TRIMMED

_seats: dict[str, list[str]] = defaultdict(list)


@schemathesis.auth(refresh_interval=None)
class Players:
    """A new token for every seat; who leaves a room is whoever took the last seat there."""

    def get(self, case: schemathesis.Case[Any], _context: schemathesis.AuthContext) -> str:
        typed = str((case.path_parameters or {}).get("roomId", ""))
        room = codes.fold(typed)
        if case.method == "DELETE" and room and _seats[room]:
            return _seats[room][-1]
        token = str(uuid.uuid4())
        _seats[room or tokens.room_code(token, 0)].append(token)
        return token

    def set(
        self, case: schemathesis.Case[Any], data: str, _context: schemathesis.AuthContext
    ) -> None:
        case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def filter_body(_context: schemathesis.HookContext, body: Any) -> bool:
    """Leave out names whose length the document cannot judge, since it depends on NFC."""
    return not (isinstance(body, dict) and any(map(_cannot_be_judged, body.values())))


def _cannot_be_judged(value: object) -> bool:
    if not isinstance(value, str) or not re.search(names.TEXT_PATTERN, value):
        return False
    name = unicodedata.normalize("NFC", value).strip(TRIMMED)
    return len(name) > names.MAX_LENGTH
