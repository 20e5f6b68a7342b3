"""AWS Lambda Powertools: its resolver for HTTP APIs, and boto3."""

from __future__ import annotations

from typing import Any

import boto3
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from .room import IS_FREE, TABLE, new_room

app = APIGatewayHttpResolver()
_client = boto3.client("dynamodb")


@app.post("/rooms")
def create_room() -> dict[str, Any]:
    """Create a room."""
    item, answer = new_room(app.current_event.json_body["hostName"])
    _client.put_item(TableName=TABLE, Item=item, ConditionExpression=IS_FREE)
    return answer


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one HTTP request."""
    return app.resolve(event, context)
