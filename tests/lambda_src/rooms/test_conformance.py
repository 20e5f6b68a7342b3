"""The 48 rooms cases of the system that this one replaces, each where ours keeps or changes it.

Its suites were ``handler`` (12), ``integration`` (handler to store, 8), ``service`` (19) and
``repository`` (9). A case that differs on purpose says why; the rest hold as they stood, with
added fields allowed, since the browser client that is deployed ignores what it does not know.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from lambda_src.rooms import tokens
from lambda_src.rooms.dynamodb import DynamoDb
from lambda_src.rooms.names import clean
from lambda_src.rooms.service import Rooms
from lambda_src.rooms.store import RoomStore
from tests.lambda_src.rooms.conftest import CREATE, GET, JOIN, LEAVE, Api, Clock
from tests.support.rooms.faulty_table import faulty_table, whole_answer
from tests.support.rooms.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

TestT = TypeVar("TestT", bound="Callable[..., None]")

CASES: list[tuple[str, int]] = []


def original(suite: str, *numbers: int, differs: str = "") -> Callable[[TestT], TestT]:
    """Say which cases of the original a test stands for, and, to the reader, why it differs."""
    del differs
    CASES.extend((suite, number) for number in numbers)
    return lambda test: test


def items(client: DynamoDBClient, table: str) -> list[dict[str, Any]]:
    return list(client.scan(TableName=table)["Items"])


@pytest.fixture
def broken() -> Iterator[Api]:
    """An API whose table refuses every request with words that are nobody's business."""
    refusal = b'{"__type":"InternalServerError","message":"connection timeout"}'
    with faulty_table(None) as table:
        table.serves(whole_answer(500, refusal))
        yield Api(Rooms(RoomStore(DynamoDb(Wire(table.endpoint)), "rooms")))


# handler


@original("handler", 1)
def test_create_answers_with_room_and_host_id(api: Api) -> None:
    answer = api.create("Test Host")
    assert answer.status == 200
    assert {"roomId", "hostId"} <= answer.body.keys()
    assert answer.body["room"]["players"][0]["name"] == "Test Host"


@original("handler", 2)
def test_create_without_a_name_names_the_field(api: Api, client: Any, table: str) -> None:
    answer = api(CREATE, body={})
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert answer.body["error"]["message"] == "Invalid request parameters"
    assert "hostName" in answer.body["error"]["details"]
    assert items(client, table) == []


@original("handler", 3)
def test_create_with_what_is_no_json(api: Api, client: Any, table: str) -> None:
    answer = api(CREATE, body="invalid json")
    assert (answer.status, answer.code) == (400, "INVALID_JSON")
    assert answer.body["error"]["message"] == "Request body must be valid JSON"
    assert items(client, table) == []


@original(
    "handler",
    4,
    differs="the reason stands in details and in the language of the API; the page, which knows"
    " its reader's, has its own words",
)
@original("service", 6, differs="see handler 4")
def test_a_name_over_twenty_characters(api: Api) -> None:
    answer = api.create("a" * 21)
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert "20 characters" in answer.body["error"]["details"]["hostName"]


@original("handler", 5, differs="500 never repeats the store's words, and 503 says to try again")
@original("integration", 6, differs="see handler 5")
@original("service", 4, differs="see handler 5")
@original("repository", 3, 5, 7, differs="see handler 5")
def test_an_error_of_the_store(broken: Api, token: str) -> None:
    answers = (
        broken.create(),
        broken.get("BCDFGH"),
        broken.join("BCDFGH"),
        broken.leave("BCDFGH", token),
    )
    for answer in answers:
        assert (answer.status, answer.code) == (503, "UNAVAILABLE")
        assert "timeout" not in str(answer.body)


@original(
    "handler",
    6,
    differs="the API answers for CORS and ignores such headers of a function:"
    " https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html",
)
@original("integration", 7, differs="see handler 6; Content-Type is the same")
def test_the_headers_of_an_answer(api: Api) -> None:
    headers = api.create().headers
    assert headers["content-type"] == "application/json"
    assert not [name for name in headers if name.startswith("access-control")]


@original("handler", 7)
@original("service", 8, 10)
def test_join_answers_with_a_player_id(api: Api) -> None:
    answer = api.join(api.create().body["roomId"], "Test Player")
    assert answer.status == 200
    assert re.fullmatch("[a-f0-9]{32}", answer.body["playerId"])


@original(
    "handler",
    8,
    11,
    differs="API Gateway matches no such route without a code; if one comes all the same, there is"
    " no such room",
)
def test_join_and_leave_without_a_room_id(api: Api, token: str) -> None:
    for answer in (api(JOIN, body={"playerName": "Test Player"}), api(LEAVE, token=token)):
        assert (answer.status, answer.code) == (404, "NOT_FOUND")


@original(
    "handler",
    9,
    differs="its own document says 409 ROOM_FULL, its code 400 VALIDATION_ERROR; ours is 409,"
    " so that no client must read Japanese to know why",
)
@original("service", 11, differs="see handler 9")
def test_a_full_room(api: Api) -> None:
    room = api.create().body["roomId"]
    for _ in range(4):
        api.join(room)
    answer = api.join(room)
    assert (answer.status, answer.code) == (409, "ROOM_FULL")
    assert "満員" in answer.body["error"]["message"]


@original(
    "handler",
    10,
    differs="it took the player's id from a path that its router never matched; ours takes the"
    " player's token, since ids are public; the room is added to the answer",
)
@original("service", 14)
def test_leave(api: Api) -> None:
    room = api.create().body["roomId"]
    guest = api.join(room).body
    answer = api.leave(room, guest["playerToken"])
    assert answer.status == 200
    assert answer.body["message"] == "Successfully left the room"


@original("handler", 12)
@original("service", 12, 18)
@original("repository", 2, 9)
def test_a_room_that_is_not_there(api: Api, token: str) -> None:
    for answer in (api.get("BCDFGH"), api.join("BCDFGH"), api.leave("BCDFGH", token)):
        assert (answer.status, answer.code) == (404, "NOT_FOUND")


# handler to store


@original("integration", 1, differs="players are a map in the item, so that one can be added alone")
@original("integration", 8)
@original("service", 1, 2, 3)
def test_what_a_create_answers_and_stores(api: Api, clock: Clock, client: Any, table: str) -> None:
    body = api.create("Test Host Player").body
    assert re.fullmatch("[A-Z0-9]{6}", body["roomId"])
    assert re.fullmatch("[a-f0-9]{32}", body["hostId"])
    (item,) = items(client, table)
    assert item["roomId"]["S"] == body["roomId"]
    assert item["status"]["S"] == "waiting"
    assert int(item["createdAt"]["N"]) == clock.now_ms
    ((player_id, player),) = item["players"]["M"].items()
    assert player_id == body["hostId"]
    assert player["M"]["name"]["S"] == "Test Host Player"
    assert int(player["M"]["joinedAt"]["N"]) == clock.now_ms


@original("integration", 2)
def test_a_japanese_name_is_stored_as_it_is(api: Api, client: Any, table: str) -> None:
    host = api.create("テストホスト").body["hostId"]
    (item,) = items(client, table)
    assert item["players"]["M"][host]["M"]["name"]["S"] == "テストホスト"


@original("integration", 3)
def test_create_without_a_body(api: Api, client: Any, table: str) -> None:
    answer = api(CREATE)
    assert (answer.status, answer.code) == (400, "MISSING_BODY")
    assert answer.body["error"]["message"] == "Request body is required"
    assert items(client, table) == []


@original("integration", 4)
@original("service", 5, differs="see handler 4")
def test_an_empty_name(api: Api, client: Any, table: str) -> None:
    answer = api.create("")
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert "Host name" in answer.body["error"]["details"]["hostName"]
    assert items(client, table) == []


@original("integration", 5)
def test_a_name_of_spaces(api: Api) -> None:
    answer = api.create("   ")
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")


# service


@original("service", 7)
def test_three_rooms_have_three_ids(api: Api) -> None:
    assert len({api.create().body["roomId"] for _ in range(3)}) == 3


@original("service", 9)
def test_a_join_adds_a_second_player(api: Api) -> None:
    room = api.create().body["roomId"]
    api.join(room, "Test Player")
    assert [player["name"] for player in api.get(room).body["players"]][1:] == ["Test Player"]


@original("service", 13, differs="409 ROOM_NOT_JOINABLE in place of 400 VALIDATION_ERROR")
def test_a_game_that_has_begun(api: Api, client: Any, table: str) -> None:
    room = api.create().body["roomId"]
    (item,) = items(client, table)
    client.put_item(TableName=table, Item={**item, "status": {"S": "playing"}})
    answer = api.join(room)
    assert (answer.status, answer.code) == (409, "ROOM_NOT_JOINABLE")
    assert "ゲーム中" in answer.body["error"]["message"]


@original("service", 15)
def test_a_leave_takes_the_player_out(api: Api) -> None:
    host = api.create().body
    guest = api.join(host["roomId"]).body
    api.leave(host["roomId"], guest["playerToken"])
    players = api.get(host["roomId"]).body["players"]
    assert [player["playerId"] for player in players] == [host["playerId"]]


@original("service", 16)
def test_the_earliest_of_those_who_stay_is_host(api: Api, clock: Clock) -> None:
    host = api.create().body
    clock.pass_seconds(1)
    second = api.join(host["roomId"]).body
    clock.pass_seconds(1)
    api.join(host["roomId"])
    api.leave(host["roomId"], host["playerToken"])
    assert api.get(host["roomId"]).body["hostId"] == second["playerId"]


@original("service", 17)
@original(
    "repository", 6, differs="the item stays, closed and expired: it refuses requests that are late"
)
def test_with_the_last_leave_the_room_is_gone(
    api: Api, client: Any, table: str, clock: Clock
) -> None:
    other = api.create().body
    host = api.create().body
    api.leave(host["roomId"], host["playerToken"])
    assert api.get(host["roomId"]).code == "NOT_FOUND"
    assert api.get(other["roomId"]).status == 200
    stored = client.get_item(TableName=table, Key={"roomId": {"S": host["roomId"]}})["Item"]
    assert stored["players"] == {"M": {}}
    assert int(stored["expiresAt"]["N"]) <= clock.now_ms // 1000


@original(
    "service",
    19,
    differs="the room is there, so 404 would mislead: 403 FORBIDDEN, a token of nobody in it",
)
def test_a_leave_of_nobody(api: Api, token: str) -> None:
    answer = api.leave(api.create().body["roomId"], token)
    assert (answer.status, answer.code) == (403, "FORBIDDEN")


# repository


@original("repository", 1, differs="the key is roomId alone; one room is one item of its own table")
@original("repository", 4, differs="see repository 1")
@original("repository", 8)
def test_a_room_is_found_by_its_key_with_all_its_fields(
    store: RoomStore, rooms: Rooms, client: Any, table: str
) -> None:
    room = rooms.create(clean("Test Host"), tokens.new()).room
    item = client.get_item(TableName=table, Key={"roomId": {"S": room.room_id}})["Item"]
    assert item.keys() == {
        "roomId",
        "format",
        "status",
        "version",
        "maxPlayers",
        "createdAt",
        "expiresAt",
        "players",
        "seq",
    }
    assert store.get(room.room_id) == room


def test_every_case_of_the_original_stands_here_once() -> None:
    assert Counter(suite for suite, _ in set(CASES)) == {
        "handler": 12,
        "integration": 8,
        "service": 19,
        "repository": 9,
    }
    assert len(CASES) == len(set(CASES)) == 48


def test_get_leaks_nothing_that_is_stored(api: Api) -> None:
    """The original had no test of GET, and answered with its table's keys."""
    room = api(GET, room=api.create().body["roomId"]).body
    assert room.keys() == {
        "roomId",
        "hostId",
        "players",
        "status",
        "maxPlayers",
        "createdAt",
        "expiresAt",
        "version",
    }
    assert room["players"][0].keys() == {"playerId", "name", "joinedAt"}
