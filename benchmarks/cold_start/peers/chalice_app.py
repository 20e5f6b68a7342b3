"""Chalice, and boto3. Its object is the handler."""

from __future__ import annotations

from typing import Any

import boto3
from chalice.app import Chalice

from .room import IS_FREE, TABLE, new_room

handler = Chalice(app_name="rooms")
_client = boto3.client("dynamodb")


@handler.route("/rooms", methods=["POST"])
def create_room() -> dict[str, Any]:
    """Create a room."""
    item, answer = new_room(handler.current_request.json_body["hostName"])
    _client.put_item(TableName=TABLE, Item=item, ConditionExpression=IS_FREE)
    return answer
