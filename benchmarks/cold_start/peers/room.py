"""A new room, as an item of the table and as an answer: what all peers in Python create."""

from __future__ import annotations

import os
import secrets
import time
from typing import Any

TABLE = os.environ["ROOMS_TABLE"]
IS_FREE = "attribute_not_exists(roomId)"
_LETTERS = "BCDFGHJKMNPQRSTVWXZ23456789"


def new_room(host_name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the item and the answer."""
    now_ms = time.time_ns() // 1_000_000
    room_id = "".join(secrets.choice(_LETTERS) for _ in range(6))
    player_id = secrets.token_hex(16)
    player = {"name": {"S": host_name}, "joinedAt": {"N": str(now_ms)}}
    item = {
        "roomId": {"S": room_id},
        "hostId": {"S": player_id},
        "players": {"M": {player_id: {"M": player}}},
        "status": {"S": "waiting"},
        "createdAt": {"N": str(now_ms)},
        "expiresAt": {"N": str(now_ms // 1000 + 86_400)},
        "version": {"N": "1"},
    }
    room = {
        "roomId": room_id,
        "hostId": player_id,
        "players": [{"playerId": player_id, "name": host_name, "joinedAt": now_ms}],
        "status": "waiting",
        "createdAt": now_ms,
        "version": 1,
    }
    return item, {"roomId": room_id, "playerId": player_id, "room": room}
