"""The rooms package on a real DynamoDB Local, under a clock that stands still."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import jsonschema
import pytest

from lambda_src.rooms import dynamodb
from lambda_src.rooms.client import Entrance
from lambda_src.rooms.dynamodb import DynamoDb
from lambda_src.rooms.guesses import GuessLimit
from lambda_src.rooms.router import dispatch
from lambda_src.rooms.routes import ROUTES
from lambda_src.rooms.service import Rooms
from lambda_src.rooms.store import RoomStore
from tests.support.imagecheck.certificate import Certificate, self_signed
from tests.support.rooms.faulty_table import FaultyTable, faulty_table
from tests.support.rooms.wire import Wire
from tools import openapi

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_DOCUMENT = openapi.document()
_table_numbers = itertools.count()

CREATE, GET, JOIN, LEAVE = (route.key for route in ROUTES)


@dataclass
class Clock:
    """A clock that moves when it is told to."""

    now_ms: int = 1_700_000_000_000

    def __call__(self) -> int:
        return self.now_ms

    def pass_seconds(self, seconds: int) -> None:
        self.now_ms += seconds * 1000


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: Any

    @property
    def code(self) -> str:
        """What the answer says in one word."""
        return "OK" if self.status < 400 else str(self.body["error"]["code"])


@dataclass
class Api:
    """Sends events as API Gateway does, and holds every answer against the API document."""

    rooms: Rooms
    entrance: Entrance = Entrance()  # noqa: RUF009  (it is frozen)
    guesses: GuessLimit | None = None

    def __call__(
        self,
        route: str,
        *,
        room: str | None = None,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        **event: Any,
    ) -> Answer:
        sent = {**(headers or {}), **({"authorization": f"Bearer {token}"} if token else {})}
        if isinstance(event.get("body"), dict | list):
            event["body"] = json.dumps(event["body"])
        response = dispatch(
            {
                "version": "2.0",
                "routeKey": route,
                "headers": sent,
                "isBase64Encoded": False,
                **({"pathParameters": {"roomId": room}} if room is not None else {}),
                **event,
            },
            self.rooms,
            entrance=self.entrance,
            guesses=self.guesses,
        )
        body = json.loads(response["body"]) if "body" in response else None
        answer = Answer(response["statusCode"], response["headers"], body)
        _hold_against_document(route, answer)
        return answer

    def create(self, name: str = "ホスト", token: str | None = None) -> Answer:
        return self(CREATE, body={"hostName": name}, token=token)

    def get(self, room: str) -> Answer:
        return self(GET, room=room)

    def join(self, room: str, name: str = "ゲスト", token: str | None = None) -> Answer:
        return self(JOIN, room=room, body={"playerName": name}, token=token)

    def leave(self, room: str, token: str | None) -> Answer:
        return self(LEAVE, room=room, token=token)


def _hold_against_document(route: str, answer: Answer) -> None:
    method, _, path = route.partition(" ")
    operation = _DOCUMENT["paths"].get(path, {}).get(method.lower())
    if operation is None:
        assert answer.status == 404
        return
    described = operation["responses"][str(answer.status)]
    assert answer.status < 400 or "error" in answer.body, "only API Gateway answers otherwise"
    if "content" in described:
        assert answer.headers["content-type"] == "application/json"
        schema = described["content"]["application/json"]["schema"]
        jsonschema.validate(answer.body, {**schema, "components": _DOCUMENT["components"]})
    else:
        assert answer.body is None


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(dynamodb_endpoint: str) -> DynamoDBClient:
    """boto3's, to make tables and to look at what is in them."""
    return boto3.client(
        "dynamodb",
        endpoint_url=dynamodb_endpoint,
        region_name="ap-northeast-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


@pytest.fixture
def own_wire(dynamodb_endpoint: str) -> Wire:
    """What lies between the API and its table."""
    return Wire(dynamodb_endpoint)


@pytest.fixture
def own_client(own_wire: Wire) -> DynamoDb:
    """The function's."""
    return DynamoDb(own_wire)


@pytest.fixture
def wire(dynamodb_endpoint: str) -> Wire:
    """Another wire, which a test can cut."""
    return Wire(dynamodb_endpoint)


@pytest.fixture
def table(client: DynamoDBClient) -> str:
    """An empty rooms table; that the deployed one is like it is asserted in tests/constructs."""
    name = f"rooms-{next(_table_numbers)}"
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "roomId", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "roomId", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


@pytest.fixture
def store(own_client: DynamoDb, table: str) -> RoomStore:
    return RoomStore(own_client, table)


@pytest.fixture
def rooms(store: RoomStore, clock: Clock) -> Rooms:
    return Rooms(store, now_ms=clock)


@pytest.fixture
def api(rooms: Rooms) -> Api:
    return Api(rooms)


@pytest.fixture
def token() -> str:
    """A token as a client may bring it."""
    return "c0ffee00-1111-4222-8333-444455556666"


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeat a request at once."""
    monkeypatch.setattr(dynamodb, "MAX_PAUSE_S", 0)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for 127.0.0.1 that nobody trusts."""
    return self_signed(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def trusted(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> Certificate:
    """The same, and clients that are made now trust it."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate.file))
    return certificate


@pytest.fixture(params=["http", "https"])
def server(request: pytest.FixtureRequest, trusted: Certificate) -> Iterator[FaultyTable]:
    """A server in place of the table, with and without TLS."""
    with faulty_table(None, tls=trusted.tls() if request.param == "https" else None) as table:
        yield table
