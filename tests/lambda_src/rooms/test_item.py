"""Items of other versions: of the code that is live now, of one to come, and damaged ones."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config

from chaos import earlier_version
from lambda_src.rooms import item, tokens
from lambda_src.rooms.names import clean
from lambda_src.rooms.service import LIFETIME_S, Rooms
from tests.lambda_src.rooms.conftest import Api, Clock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

HOST, GUEST, LATER = (f"{who}-00000000-0000-4000-8000-000000000000" for who in "abc")


@pytest.fixture
def earlier(
    dynamodb_endpoint: str, table: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """The rooms of the earlier version's own code, on the same table."""
    monkeypatch.syspath_prepend(str(earlier_version.PATH))
    service = importlib.import_module("rooms.service")
    store = importlib.import_module("rooms.store")
    config = importlib.import_module("rooms.dynamodb").CLIENT_CONFIG
    client = boto3.client(
        "dynamodb",
        endpoint_url=dynamodb_endpoint,
        region_name="ap-northeast-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(**{**config, "read_timeout": 30}),
    )
    yield service.Rooms(store.RoomStore(client, table), now_ms=clock)
    for module in [name for name in sys.modules if name.partition(".")[0] == "rooms"]:
        del sys.modules[module]


def outcome(call: Any, *arguments: Any) -> str:
    """Return what a call of either version says, in one word."""
    try:
        call(*arguments)
    except Exception as error:
        code = getattr(error, "code", None)
        if code is None:
            raise
        return str(code.name)
    return "OK"


@pytest.mark.parametrize("writer", ["this", "earlier"])
def test_a_room_of_either_version_is_played_in_the_other(
    writer: str, rooms: Rooms, earlier: Any
) -> None:
    one, other = (rooms, earlier) if writer == "this" else (earlier, rooms)
    code = one.create(clean("ホスト"), HOST).room.room_id
    other.join(code, clean("ゲスト"), GUEST)
    one.join(code, clean("あと"), LATER)

    for version in (one, other):
        room = version.get(code)
        assert [player.name for player in room.players] == ["ホスト", "ゲスト", "あと"]
        assert room.host_id == tokens.player_id(HOST, code)
        assert version.join(code, clean("ゲスト"), GUEST).room == room

    left = other.leave(code, HOST)
    assert left is not None
    assert left.host_id == tokens.player_id(GUEST, code)
    one.leave(code, GUEST)
    other.join(code, clean("ゲスト"), GUEST)
    one.leave(code, GUEST)
    assert other.leave(code, LATER) is None
    assert outcome(one.get, code) == outcome(other.get, code) == "NOT_FOUND"


@pytest.mark.parametrize("closer", ["this", "earlier"])
def test_a_room_that_one_version_closed_is_none_to_the_other(
    closer: str, rooms: Rooms, earlier: Any
) -> None:
    one, other = (rooms, earlier) if closer == "this" else (earlier, rooms)
    code = one.create(clean("ホスト"), HOST).room.room_id
    assert one.leave(code, HOST) is None

    assert outcome(other.get, code) == "NOT_FOUND"
    assert outcome(other.join, code, clean("ゲスト"), GUEST) == "NOT_FOUND"
    assert outcome(other.leave, code, HOST) == "NOT_FOUND"
    assert other.create(clean("また"), HOST).room.room_id == code
    assert [player.name for player in one.get(code).players] == ["また"]
    assert one.leave(code, HOST) is None


def test_a_closed_room_is_none_to_an_earlier_version_whose_clock_is_behind(
    rooms: Rooms, earlier: Any, clock: Clock
) -> None:
    code = rooms.create(clean("ホスト"), HOST).room.room_id
    assert rooms.leave(code, HOST) is None
    clock.pass_seconds(-300)

    assert outcome(earlier.get, code) == "NOT_FOUND"
    assert outcome(earlier.join, code, clean("ゲスト"), GUEST) == "NOT_FOUND"
    assert outcome(earlier.leave, code, HOST) == "NOT_FOUND"
    assert earlier.create(clean("また"), HOST).room.room_id == code


def test_a_room_of_another_version_expires_at_the_same_second(
    rooms: Rooms, earlier: Any, clock: Clock
) -> None:
    for one, other in ((rooms, earlier), (earlier, rooms)):
        code = one.create(clean("ホスト"), HOST).room.room_id
        clock.pass_seconds(LIFETIME_S - 1)
        assert outcome(other.get, code) == "OK"
        clock.pass_seconds(1)
        assert outcome(other.get, code) == "NOT_FOUND"


def change(client: DynamoDBClient, table: str, code: str, **attributes: Any) -> None:
    """Set attributes of a room's item; None removes one."""
    stored: dict[str, Any] = client.get_item(TableName=table, Key=item.key(code))["Item"]
    stored |= attributes
    client.put_item(
        TableName=table, Item={name: value for name, value in stored.items() if value is not None}
    )


def test_attributes_of_a_later_version_are_ignored_and_kept(
    api: Api, client: DynamoDBClient, table: str
) -> None:
    code = api.create().body["roomId"]
    change(client, table, code, topic={"S": "地理"})
    joined = api.join(code)
    assert joined.status == 200
    assert client.get_item(TableName=table, Key=item.key(code))["Item"]["topic"] == {"S": "地理"}


def test_a_room_of_a_later_format_is_neither_read_nor_changed(
    api: Api, client: DynamoDBClient, table: str, caplog: pytest.LogCaptureFixture
) -> None:
    code = api.create(token=HOST).body["roomId"]
    change(client, table, code, format={"N": str(item.FORMAT + 1)})
    before = client.get_item(TableName=table, Key=item.key(code))["Item"]

    for answer in (api.get(code), api.join(code), api.leave(code, HOST)):
        assert (answer.status, answer.code) == (503, "UNAVAILABLE")
    assert client.get_item(TableName=table, Key=item.key(code))["Item"] == before
    assert f"unreadable item: format {item.FORMAT + 1}" in {
        getattr(record, "cause", None) for record in caplog.records
    }


def test_a_code_whose_room_is_of_a_later_format_is_taken(
    api: Api, client: DynamoDBClient, table: str
) -> None:
    code = api.create(token=HOST).body["roomId"]
    change(client, table, code, format={"N": str(item.FORMAT + 1)})
    assert api.create(token=HOST).body["roomId"] == tokens.room_code(HOST, 1)


def test_a_status_of_a_later_version_shows_as_a_game_that_has_begun(
    api: Api, client: DynamoDBClient, table: str
) -> None:
    code = api.create(token=HOST).body["roomId"]
    change(client, table, code, status={"S": "choosing-topics"})
    assert api.get(code).body["status"] == "playing"
    assert api.join(code).code == "ROOM_NOT_JOINABLE"
    assert api.create(token=HOST).body["roomId"] == code
    assert api.leave(code, HOST).status == 200


@pytest.mark.parametrize("attribute", ["maxPlayers", "status", "format"])
def test_what_is_the_same_in_every_new_room_may_be_missing(
    api: Api, client: DynamoDBClient, table: str, attribute: str
) -> None:
    code = api.create(token=HOST).body["roomId"]
    change(client, table, code, **{attribute: None})

    for taken in range(2, 6):
        joined = api.join(code, token=f"{taken}{GUEST}")
        assert len(joined.body["room"]["players"]) == taken
        assert (joined.body["room"]["status"], joined.body["room"]["maxPlayers"]) == ("waiting", 5)
    assert api.join(code).code == "ROOM_FULL"
    assert api.leave(code, HOST).status == 200


@pytest.mark.parametrize("damage", [None, {"S": "?"}, {"M": {}}, {"N": "1.5"}, {"L": []}])
@pytest.mark.parametrize(
    "attribute", ["version", "createdAt", "expiresAt", "players", "seq", "format", "status"]
)
def test_an_item_without_what_every_room_has_never_ends_in_an_internal_error(
    api: Api, client: DynamoDBClient, table: str, attribute: str, damage: Any
) -> None:
    code = api.create(token=HOST).body["roomId"]
    change(client, table, code, **{attribute: damage})

    for answer in (
        api.get(code),
        api.join(code, token=GUEST),
        api.leave(code, HOST),
        api.create(token=HOST),
    ):
        assert answer.status != 500


def test_the_archive_names_the_commit_that_its_code_is_of() -> None:
    assert len(earlier_version.revision()) == 40
