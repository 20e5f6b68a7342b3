"""The rooms API over HTTP: the real router and service, on a table in DynamoDB Local."""

import itertools
import re
from typing import Any

import boto3

from lambda_src.rooms.client import Entrance
from lambda_src.rooms.dynamodb import DynamoDb
from lambda_src.rooms.router import dispatch
from lambda_src.rooms.service import Rooms
from lambda_src.rooms.store import RoomStore
from tests.support.imagecheck.http_server import Answer, Request
from tests.support.rooms.wire import Wire

_ROUTES = {
    r"POST /rooms": "POST /rooms",
    r"GET /rooms/([^/]+)": "GET /rooms/{roomId}",
    r"POST /rooms/([^/]+)/join": "POST /rooms/{roomId}/join",
    r"DELETE /rooms/([^/]+)/leave": "DELETE /rooms/{roomId}/leave",
}
_numbers = itertools.count()


class RoomsApi:
    """Answers as the deployed API does; ``rooms_left`` are those with players.

    ``entrance`` says how requests may come in.
    """

    entrance = Entrance()

    def __init__(self, endpoint_url: str) -> None:
        self._client: Any = boto3.client(
            "dynamodb",
            endpoint_url=endpoint_url,
            region_name="ap-northeast-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        self._table = f"smoked-{next(_numbers)}"
        self._client.create_table(
            TableName=self._table,
            KeySchema=[{"AttributeName": "roomId", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "roomId", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self._rooms = Rooms(RoomStore(DynamoDb(Wire(endpoint_url)), self._table))

    def __call__(self, request: Request) -> Answer:
        asked = f"{request.method} {request.path}"
        route, match = next(
            (route, match)
            for pattern, route in _ROUTES.items()
            if (match := re.fullmatch(pattern, asked))
        )
        event: Any = {
            "routeKey": route,
            "headers": {name.lower(): value for name, value in request.headers.items()},
            "requestContext": {"apiId": "abc123", "http": {"sourceIp": "127.0.0.1"}},
            "pathParameters": {"roomId": match[1]} if match.groups() else {},
            "isBase64Encoded": False,
            **({"body": request.body.decode()} if request.body else {}),
        }
        response = dispatch(event, self._rooms, entrance=self.entrance)
        body = (response.get("body") or "").encode()
        return Answer(response["statusCode"], response.get("headers", {}), body)

    def rooms_left(self) -> int:
        items = self._client.scan(TableName=self._table)["Items"]
        return sum(bool(item["players"]["M"]) for item in items)
