"""FastAPI behind Mangum, and boto3."""

from typing import Any

import boto3
from fastapi import FastAPI
from mangum import Mangum
from pydantic import BaseModel, Field

from .room import IS_FREE, TABLE, new_room

app = FastAPI()
_client = boto3.client("dynamodb")


class CreateRoom(BaseModel):
    """What a client sends."""

    hostName: str = Field(min_length=1, max_length=20)  # noqa: N815  (the name on the wire)


@app.post("/rooms")
def create_room(request: CreateRoom) -> dict[str, Any]:
    """Create a room."""
    item, answer = new_room(request.hostName)
    _client.put_item(TableName=TABLE, Item=item, ConditionExpression=IS_FREE)
    return answer


handler = Mangum(app, lifespan="off")
