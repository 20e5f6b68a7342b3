"""The rooms service on a real DynamoDB Local, asked as the probe asks: with events."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from contract.event import contract_event, parse_response
from lambda_src.rooms.dynamodb import DynamoDb
from lambda_src.rooms.router import dispatch
from lambda_src.rooms.service import Rooms
from lambda_src.rooms.store import RoomStore
from tests.support.rooms.wire import Wire

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from contract.run import ContractRequest, ContractResponse

_table_numbers = itertools.count()


@dataclass
class Service:
    """The real function, without what is around it."""

    client: DynamoDBClient
    own_client: DynamoDb
    table: str
    answers: list[ContractResponse] = field(default_factory=list)

    def __call__(self, request: ContractRequest) -> ContractResponse:
        answer = parse_response(self.invoke(json.dumps(contract_event(request, request_id="1"))))
        self.answers.append(answer)
        return answer

    def invoke(self, event: str) -> bytes:
        rooms = Rooms(RoomStore(self.own_client, self.table))
        return json.dumps(dispatch(json.loads(event), rooms)).encode()

    def rooms(self) -> list[dict[str, Any]]:
        """Those that were left behind: with somebody in them."""
        items = self.client.scan(TableName=self.table)["Items"]
        return [item for item in items if item["players"]["M"]]


@pytest.fixture
def service(dynamodb_endpoint: str) -> Service:
    client = boto3.client(
        "dynamodb",
        endpoint_url=dynamodb_endpoint,
        region_name="ap-northeast-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    table = f"probe-{next(_table_numbers)}"
    client.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "roomId", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "roomId", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return Service(client, DynamoDb(Wire(dynamodb_endpoint)), table)
