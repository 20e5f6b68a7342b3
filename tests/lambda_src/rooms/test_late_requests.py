"""Requests that were given up, and are carried out when nobody waits for them any more."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from lambda_src.rooms import tokens
from lambda_src.rooms.dynamodb import DynamoDb
from lambda_src.rooms.service import CREATE_ATTEMPTS, LIFETIME_S, Rooms
from lambda_src.rooms.store import CLOSED_HOLD_MS, RoomStore
from tests.lambda_src.rooms.conftest import Api, Clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb import DynamoDBClient

    from tests.support.rooms.wire import Wire

REFUSED = [400]
CARRIED_OUT = [200]


@pytest.fixture
def slow(wire: Wire, table: str, clock: Clock) -> Api:
    """An API whose requests can be held back."""
    return Api(Rooms(RoomStore(DynamoDb(wire), table), now_ms=clock))


def at(turn: int, operation: str, act: Callable[[], object]) -> Callable[[str, bytes], None]:
    """Do something just before an operation is sent for the n-th time, from 1."""
    turns = itertools.count(1)

    def before(sent: str, _body: bytes) -> None:
        if sent == operation and next(turns) == turn:
            act()

    return before


def names(api: Api, room: str) -> list[str]:
    return [player["name"] for player in api.get(room).body["players"]]


def test_a_late_leave_does_not_take_the_seat_that_was_taken_after_it(
    api: Api, slow: Api, wire: Wire, token: str
) -> None:
    room = api.create().body["roomId"]
    api.join(room, token=token)
    wire.hold_next()
    assert slow.leave(room, token).status == 200
    assert api.join(room, token=token).status == 200

    assert wire.land() == REFUSED
    assert names(api, room) == ["ホスト", "ゲスト"]


def test_a_late_leave_as_the_last_does_not_close_the_room_that_was_opened_after_it(
    api: Api, slow: Api, wire: Wire, token: str
) -> None:
    room = api.create(token=token).body["roomId"]
    wire.hold_next()
    assert slow.leave(room, token).body["room"] is None
    again = api.create("また", token=token).body
    assert again["roomId"] == room

    assert wire.land() == REFUSED
    assert names(api, room) == ["また"]


def test_a_leave_whose_room_was_closed_and_opened_again_meanwhile_found_none(
    *, api: Api, slow: Api, wire: Wire, token: str, clock: Clock
) -> None:
    room = api.create(token=token).body["roomId"]

    def another_tab_leaves_and_comes_back() -> None:
        assert api.leave(room, token).body["room"] is None
        clock.pass_seconds(1)
        assert api.create("また", token=token).body["roomId"] == room

    wire.before = at(1, "UpdateItem", another_tab_leaves_and_comes_back)
    # FORBIDDEN would say that there was a room without the player.
    assert slow.leave(room, token).code == "NOT_FOUND"
    assert names(api, room) == ["また"]


def test_a_late_create_opens_no_room_that_was_closed_since(
    api: Api, slow: Api, wire: Wire, token: str
) -> None:
    wire.hold_next()
    room = slow.create(token=token).body["roomId"]
    assert api.leave(room, token).body["room"] is None

    assert wire.land() == REFUSED
    assert api.get(room).code == "NOT_FOUND"


def test_a_late_join_does_not_seat_who_has_left(
    api: Api, slow: Api, wire: Wire, token: str
) -> None:
    room = api.create().body["roomId"]
    wire.hold_next()
    assert slow.join(room, token=token).status == 200
    assert api.leave(room, token).status == 200

    assert wire.land() == REFUSED
    assert names(api, room) == ["ホスト"]


def test_a_late_join_does_not_seat_who_has_come_back_and_left_again(
    api: Api, slow: Api, wire: Wire, token: str
) -> None:
    room = api.create().body["roomId"]
    api.join(room, token=token)
    api.leave(room, token)
    # The first request is refused for the leave, and the second one names it.
    wire.holds = lambda number: number == 2
    assert slow.join(room, token=token).status == 200
    api.leave(room, token)

    assert wire.land() == REFUSED
    assert names(api, room) == ["ホスト"]


def test_a_late_join_that_was_answered_full_takes_no_seat_that_becomes_free(
    api: Api, slow: Api, wire: Wire, token: str
) -> None:
    room = api.create().body["roomId"]
    guests = [api.join(room).body["playerToken"] for _ in range(4)]
    wire.hold_next()
    assert slow.join(room, token=token).code == "ROOM_FULL"
    api.leave(room, guests[0])

    assert wire.land() == REFUSED
    assert len(names(api, room)) == 4
    assert api.join(room, token=token).status == 200


def test_a_join_that_was_carried_out_late_but_before_its_refusal_has_its_seat(
    api: Api, slow: Api, wire: Wire, token: str
) -> None:
    room = api.create().body["roomId"]
    guests = [api.join(room).body["playerToken"] for _ in range(4)]
    wire.hold_next()

    def just_before_the_join_is_barred() -> None:
        api.leave(room, guests[0])
        assert wire.land() == CARRIED_OUT

    wire.before = at(3, "UpdateItem", just_before_the_join_is_barred)
    joined = slow.join(room, token=token)

    assert joined.status == 200
    assert joined.body["playerId"] in {
        player["playerId"] for player in api.get(room).body["players"]
    }


def test_a_late_join_of_nobody_knows_whom_takes_no_seat(api: Api, slow: Api, wire: Wire) -> None:
    room = api.create().body["roomId"]
    wire.hold_next(2)
    assert slow.join(room).code == "UNAVAILABLE"

    assert wire.land() == REFUSED * 2
    assert names(api, room) == ["ホスト"]


def test_a_join_of_nobody_knows_whom_that_was_carried_out_is_given_back_by_the_last_one_too(
    api: Api, slow: Api, wire: Wire
) -> None:
    host = api.create().body
    wire.loses = lambda number: number <= 2
    wire.before = at(3, "UpdateItem", lambda: api.leave(host["roomId"], host["playerToken"]))
    assert slow.join(host["roomId"]).code == "UNAVAILABLE"
    assert api.get(host["roomId"]).code == "NOT_FOUND"


@pytest.mark.parametrize("carried_out", [True, False])
def test_a_room_of_nobody_knows_whom_is_closed(
    slow: Api, wire: Wire, client: DynamoDBClient, table: str, *, carried_out: bool
) -> None:
    if carried_out:
        wire.loses = lambda number: number <= 2
    else:
        wire.hold_next(2)
    assert slow.create().code == "UNAVAILABLE"
    wire.land()

    (item,) = client.scan(TableName=table)["Items"]
    assert item["players"] == {"M": {}}
    assert slow.get(item["roomId"]["S"]).code == "NOT_FOUND"


def test_a_room_whose_host_has_the_token_is_kept_for_the_next_try(
    api: Api, slow: Api, wire: Wire, token: str
) -> None:
    wire.loses = lambda _: True
    assert slow.create(token=token).code == "UNAVAILABLE"
    assert api.get(tokens.room_code(token, 0)).status == 200
    assert api.create(token=token).body["roomId"] == tokens.room_code(token, 0)


def test_who_has_left_may_come_back_as_often_as_they_like(api: Api, token: str) -> None:
    room = api.create().body["roomId"]
    for _ in range(3):
        assert api.join(room, token=token).status == 200
        assert api.join(room, token=token).status == 200
        assert api.leave(room, token).status == 200
        assert api.leave(room, token).code == "FORBIDDEN"


def test_a_code_can_be_opened_again_by_its_host_as_often_as_they_like(api: Api, token: str) -> None:
    seen = set()
    for _ in range(2 * CREATE_ATTEMPTS):
        opened = api.create(token=token).body
        assert opened["roomId"] == tokens.room_code(token, 0)
        seen.add(opened["room"]["version"])
        api.leave(opened["roomId"], token)
    assert len(seen) == 2 * CREATE_ATTEMPTS, "a version names one state of a code"


def test_who_left_before_the_room_was_closed_is_not_seated_late_in_the_next_one(
    api: Api, slow: Api, wire: Wire, token: str
) -> None:
    guest = tokens.new()
    room = api.create(token=token).body["roomId"]
    wire.hold_next()
    slow.join(room, token=guest)
    api.leave(room, guest)
    api.leave(room, token)
    assert api.create(token=token).body["roomId"] == room

    assert wire.land() == REFUSED
    assert names(api, room) == ["ホスト"]
    assert api.join(room, token=guest).status == 200


@pytest.mark.parametrize("carried_out", [True, False])
def test_a_create_whose_client_went_on_and_left_opens_nothing(
    *,
    api: Api,
    slow: Api,
    wire: Wire,
    token: str,
    clock: Clock,
    carried_out: bool,
) -> None:
    code = tokens.room_code(token, 0)
    if carried_out:
        wire.loses = lambda number: number == 1
    else:
        wire.hold_next()

    def the_client_repeats_it_and_leaves() -> None:
        assert api.create(token=token).body["roomId"] == code
        clock.pass_seconds(1)
        api.leave(code, token)

    wire.before = at(2, "PutItem", the_client_repeats_it_and_leaves)
    assert slow.create(token=token).code == "UNAVAILABLE"
    wire.land()
    assert api.get(code).code == "NOT_FOUND"


def test_a_closed_code_is_nobody_elses_until_no_request_can_be_late(
    api: Api, client: DynamoDBClient, table: str, clock: Clock, token: str
) -> None:
    host = api.create().body
    api.leave(host["roomId"], host["playerToken"])
    item = client.get_item(TableName=table, Key={"roomId": {"S": host["roomId"]}})["Item"]
    item["roomId"] = {"S": tokens.room_code(token, 0)}
    client.put_item(TableName=table, Item=item)

    clock.now_ms += CLOSED_HOLD_MS - 1
    other = api.create(token=token).body
    assert other["roomId"] == tokens.room_code(token, 1)
    api.leave(other["roomId"], token)

    clock.now_ms += 1
    assert api.create(token=token).body["roomId"] == tokens.room_code(token, 0)


def test_a_room_does_not_expire_earlier_because_of_a_clock_that_is_behind(
    api: Api, store: RoomStore, clock: Clock, token: str
) -> None:
    room = api.create().body["room"]
    behind = Api(Rooms(store, now_ms=lambda: clock.now_ms - 600_000))
    joined = behind.join(room["roomId"], token=token).body["room"]
    assert joined["expiresAt"] == room["expiresAt"]

    clock.pass_seconds(60)
    later = api.join(room["roomId"]).body["room"]
    assert later["expiresAt"] == (clock.now_ms // 1000 + LIFETIME_S) * 1000
