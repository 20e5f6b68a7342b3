"""Lost answers: between client and API, or between function and table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lambda_src.rooms import tokens
from lambda_src.rooms.answer import Answer
from lambda_src.rooms.dynamodb import DynamoDb
from lambda_src.rooms.service import CREATE_ATTEMPTS, LIFETIME_S, Rooms
from lambda_src.rooms.store import RoomStore
from tests.lambda_src.rooms.conftest import Api, Clock
from tests.support.rooms.wire import Wire

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture
def forgetful(wire: Wire, table: str, clock: Clock) -> Api:
    """An API that loses the answer to every first attempt, after it was carried out."""
    wire.loses = lambda sent: sent % 2 == 1
    return Api(Rooms(RoomStore(DynamoDb(wire), table), now_ms=clock))


@pytest.fixture
def deaf(wire: Wire, table: str, clock: Clock) -> Api:
    """An API that loses every answer."""
    wire.loses = lambda _: True
    return Api(Rooms(RoomStore(DynamoDb(wire), table), now_ms=clock))


def test_a_repeated_create_finds_the_room_it_opened(api: Api, token: str) -> None:
    first = api.create("ホスト", token=token)
    api.join(first.body["roomId"])
    again = api.create("別の名前", token=token)

    assert again.body["roomId"] == first.body["roomId"]
    assert again.body["playerId"] == first.body["playerId"]
    assert again.body["playerToken"] == token
    assert [player["name"] for player in again.body["room"]["players"]] == ["ホスト", "ゲスト"]


def test_a_repeated_join_finds_its_seat_even_when_the_room_is_full_by_then(
    api: Api, token: str
) -> None:
    room = api.create().body["roomId"]
    first = api.join(room, token=token).body
    for _ in range(3):
        api.join(room)
    again = api.join(room, token=token)

    assert again.status == 200
    assert again.body["playerId"] == first["playerId"]
    assert len(again.body["room"]["players"]) == 5


def test_a_client_that_repeats_every_call_ends_with_one_seat(api: Api) -> None:
    mine, friends = tokens.new(), [tokens.new() for _ in range(4)]
    room = {api.create(token=mine).body["roomId"] for _ in range(3)}.pop()
    for friend in friends:
        for _ in range(3):
            assert api.join(room, token=friend).status == 200
    players = api.get(room).body["players"]
    assert len({player["playerId"] for player in players}) == len(players) == 5

    first, *repeats = [api.leave(room, friends[0]) for _ in range(3)]
    assert first.status == 200
    assert {answer.code for answer in repeats} == {"FORBIDDEN"}
    assert len(api.get(room).body["players"]) == 4


def test_one_token_serves_in_two_rooms_under_two_ids(api: Api, token: str) -> None:
    one, other = api.create().body["roomId"], api.create().body["roomId"]
    assert (
        api.join(one, token=token).body["playerId"] != api.join(other, token=token).body["playerId"]
    )


def test_a_taken_code_is_never_overwritten_and_the_next_one_is_tried(
    api: Api, client: DynamoDBClient, table: str, token: str
) -> None:
    strangers = api.create("先客").body
    _move(client, table, strangers["roomId"], tokens.room_code(token, 0))

    created = api.create("ホスト", token=token).body

    assert created["roomId"] == tokens.room_code(token, 1)
    assert api.get(tokens.room_code(token, 0)).body["players"] == strangers["room"]["players"]
    assert api.create("ホスト", token=token).body["roomId"] == created["roomId"]


def test_a_token_that_the_server_makes_leads_past_a_taken_code_too(
    *,
    api: Api,
    client: DynamoDBClient,
    own_client: DynamoDb,
    table: str,
    clock: Clock,
    token: str,
) -> None:
    _move(client, table, api.create("先客").body["roomId"], tokens.room_code(token, 0))
    dealt = Api(Rooms(RoomStore(own_client, table), now_ms=clock, new_token=lambda: token))
    created = dealt.create("ホスト").body
    assert (created["roomId"], created["playerToken"]) == (tokens.room_code(token, 1), token)


def test_when_every_code_is_taken_create_says_unavailable_and_writes_nothing(
    api: Api, client: DynamoDBClient, table: str, token: str
) -> None:
    for attempt in range(CREATE_ATTEMPTS):
        _move(client, table, api.create().body["roomId"], tokens.room_code(token, attempt))
    before = client.scan(TableName=table)["Items"]

    answer = api.create(token=token)

    assert (answer.status, answer.code) == (503, "UNAVAILABLE")
    assert client.scan(TableName=table)["Items"] == before


def test_an_operation_that_has_taken_too_long_sends_no_further_request(
    *,
    api: Api,
    client: DynamoDBClient,
    own_wire: Wire,
    table: str,
    clock: Clock,
    token: str,
) -> None:
    for attempt in range(CREATE_ATTEMPTS):
        _move(client, table, api.create().body["roomId"], tokens.room_code(token, attempt))
    own_wire.sent.clear()
    own_wire.before = lambda _operation, _body: clock.pass_seconds(5)
    assert api.create(token=token).code == "UNAVAILABLE"
    assert own_wire.sent == ["PutItem"] * 2


def test_a_second_attempt_at_a_create_that_was_done_opens_one_room(
    forgetful: Api, client: DynamoDBClient, table: str
) -> None:
    created = forgetful.create()
    assert created.status == 200
    assert [item["roomId"]["S"] for item in client.scan(TableName=table)["Items"]] == [
        created.body["roomId"]
    ]


def test_a_second_attempt_at_a_join_that_was_done_takes_one_seat(api: Api, forgetful: Api) -> None:
    room = api.create().body["roomId"]
    for taken in range(2, 6):
        joined = forgetful.join(room)
        assert joined.status == 200
        assert len(joined.body["room"]["players"]) == taken
    assert forgetful.join(room).code == "ROOM_FULL"
    assert len(api.get(room).body["players"]) == 5


def test_a_second_attempt_at_a_leave_that_was_done_has_left(api: Api, forgetful: Api) -> None:
    host = api.create().body
    guest = api.join(host["roomId"]).body

    left = forgetful.leave(host["roomId"], guest["playerToken"])
    assert left.status == 200
    assert [player["playerId"] for player in left.body["room"]["players"]] == [host["playerId"]]

    gone = forgetful.leave(host["roomId"], host["playerToken"])
    assert (gone.status, gone.body["room"]) == (200, None)
    assert api.get(host["roomId"]).code == "NOT_FOUND"


def test_a_second_attempt_after_a_refusal_is_no_excuse_for_a_stranger(
    api: Api, dynamodb_endpoint: str, table: str, clock: Clock, token: str
) -> None:
    throttled = ThrottlesFirst(dynamodb_endpoint)
    strangers = Api(Rooms(RoomStore(DynamoDb(throttled), table), now_ms=clock))
    room = api.create().body["roomId"]
    assert strangers.leave(room, token).code == "FORBIDDEN"
    assert strangers.leave("BCDFGH", token).code == "NOT_FOUND"
    clock.pass_seconds(LIFETIME_S)
    assert strangers.leave(room, token).code == "NOT_FOUND"
    assert len(throttled.sent) == 3


class ThrottlesFirst(Wire):
    """Refuses every first attempt, so that nothing was done."""

    _attempts = 0

    def send(self, operation: str, body: bytes) -> Answer:
        self._attempts += 1
        if self._attempts % 2:
            return Answer(400, {"__type": "ThrottlingException"})
        return super().send(operation, body)


@pytest.mark.proof
def test_a_seat_that_nobody_could_own_is_given_back(api: Api, deaf: Api) -> None:
    room = api.create().body["roomId"]
    for _ in range(5):
        assert deaf.join(room).code == "UNAVAILABLE"
    assert len(api.get(room).body["players"]) == 1


def test_a_seat_whose_owner_has_the_token_is_kept_for_the_next_try(
    api: Api, deaf: Api, token: str
) -> None:
    room = api.create().body["roomId"]
    assert deaf.join(room, token=token).code == "UNAVAILABLE"
    assert len(api.get(room).body["players"]) == 2
    assert len(api.join(room, token=token).body["room"]["players"]) == 2


def test_a_create_is_only_repeated_by_who_is_still_host(api: Api, token: str) -> None:
    first = api.create(token=token).body
    api.join(first["roomId"])
    api.leave(first["roomId"], token)
    api.join(first["roomId"], token=token)

    second = api.create(token=token).body

    assert second["roomId"] != first["roomId"]
    assert second["hostId"] == second["playerId"]


def _move(client: DynamoDBClient, table: str, room: str, code: str) -> None:
    """Give a room another code, as if chance had."""
    item = client.get_item(TableName=table, Key={"roomId": {"S": room}})["Item"]
    client.delete_item(TableName=table, Key={"roomId": {"S": room}})
    client.put_item(TableName=table, Item={**item, "roomId": {"S": code}})
