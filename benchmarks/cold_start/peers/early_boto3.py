"""Bare boto3 that has read an item, and so is connected, before its first event."""

from __future__ import annotations

import json
from typing import Any

import boto3

from .room import IS_FREE, TABLE, new_room

_client = boto3.client("dynamodb")
_client.get_item(TableName=TABLE, Key={"roomId": {"S": "-"}})


def create_room(event: dict[str, Any]) -> dict[str, Any]:
    """Create a room."""
    item, answer = new_room(json.loads(event["body"])["hostName"])
    _client.put_item(TableName=TABLE, Item=item, ConditionExpression=IS_FREE)
    return answer


_ROUTES = {"POST /rooms": create_room}


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer one HTTP request."""
    answer = _ROUTES[event["routeKey"]](event)
    return {
        "statusCode": 200,
        "headers": {"content-type": "application/json"},
        "body": json.dumps(answer),
    }
