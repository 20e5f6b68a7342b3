"""Creates a room with a signer and nothing else of AWS's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .kept_connection import put_item
from .room import IS_FREE, TABLE, new_room

if TYPE_CHECKING:
    from .kept_connection import Sign


def answer(event: dict[str, Any], sign: Sign) -> dict[str, Any]:
    """Answer one HTTP request."""
    item, created = new_room(json.loads(event["body"])["hostName"])
    put_item(sign, TableName=TABLE, Item=item, ConditionExpression=IS_FREE)
    return {
        "statusCode": 200,
        "headers": {"content-type": "application/json"},
        "body": json.dumps(created),
    }
