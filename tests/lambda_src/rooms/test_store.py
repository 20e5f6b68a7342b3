"""The guarantees of conditional writes, under real concurrency."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from lambda_src.rooms import tokens
from lambda_src.rooms.errors import RoomsError
from lambda_src.rooms.names import clean
from lambda_src.rooms.service import Rooms
from lambda_src.rooms.store import MAX_LEFT, RoomStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient

    from lambda_src.rooms.room import Player, Room
    from tests.lambda_src.rooms.conftest import Clock
    from tests.support.rooms.wire import Wire

T = TypeVar("T")
NAME = clean("ゲスト")


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Start all calls at the same moment; a refusal's code stands in for its answer."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        start.wait()
        try:
            return call()
        except RoomsError as error:
            return error.code.name

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_two_hundred_simultaneous_joins_fill_exactly_the_four_free_seats(rooms: Rooms) -> None:
    host = rooms.create(NAME, None)

    answers = at_once([partial(rooms.join, host.room.room_id, NAME, None)] * 200)

    refusals = Counter(answer for answer in answers if isinstance(answer, str))
    winners = {answer.player_id for answer in answers if not isinstance(answer, str)}
    room = rooms.get(host.room.room_id)
    assert refusals == {"ROOM_FULL": 196}
    assert {player.player_id for player in room.players} == winners | {host.player_id}
    assert len(room.players) == 5
    assert room.host_id == host.player_id


@pytest.mark.proof
def test_nobody_is_refused_while_a_seat_stays_empty(rooms: Rooms) -> None:
    for _ in range(10):
        host = rooms.create(NAME, None)
        answers = at_once([partial(rooms.join, host.room.room_id, NAME, None)] * 8)
        refused = sum(isinstance(answer, str) for answer in answers)
        assert (refused, len(rooms.get(host.room.room_id).players)) == (4, 5)


def test_one_token_that_joins_many_times_at_once_takes_one_seat(rooms: Rooms, token: str) -> None:
    host = rooms.create(NAME, None)
    answers = at_once([partial(rooms.join, host.room.room_id, NAME, token)] * 20)
    assert not [answer for answer in answers if isinstance(answer, str)]
    assert len(rooms.get(host.room.room_id).players) == 2


def test_one_token_that_creates_many_times_at_once_opens_one_room(rooms: Rooms, token: str) -> None:
    answers = at_once([partial(rooms.create, NAME, token)] * 20)
    assert len({answer.room.room_id for answer in answers if not isinstance(answer, str)}) == 1


@pytest.mark.proof
def test_concurrent_joins_and_leaves_match_their_responses(rooms: Rooms) -> None:
    for _ in range(15):
        host = rooms.create(NAME, None)
        code = host.room.room_id
        leavers = [host.token, *(rooms.join(code, NAME, None).token for _ in range(2))]
        joiners = [tokens.new() for _ in range(6)]

        leaves = [partial(rooms.leave, code, token) for token in leavers]
        joins = [partial(rooms.join, code, NAME, token) for token in joiners]
        answers = at_once([*leaves, *joins])

        assert not [answer for answer in answers[:3] if isinstance(answer, str)]
        seated = {
            tokens.player_id(token, code)
            for token, answer in zip(joiners, answers[3:], strict=True)
            if not isinstance(answer, str)
        }
        refusals = {answer for answer in answers[3:] if isinstance(answer, str)}
        assert refusals <= {"ROOM_FULL", "NOT_FOUND"}
        if seated:
            assert {player.player_id for player in rooms.get(code).players} == seated
        else:
            with pytest.raises(RoomsError, match="Room not found"):
                rooms.get(code)


@pytest.mark.proof
def test_everybody_leaving_at_once_leaves_no_room(rooms: Rooms) -> None:
    for _ in range(10):
        host = rooms.create(NAME, None)
        code = host.room.room_id
        everybody = [host.token, *(rooms.join(code, NAME, None).token for _ in range(4))]
        answers = at_once([partial(rooms.leave, code, token) for token in everybody])
        assert not [answer for answer in answers if isinstance(answer, str)]
        with pytest.raises(RoomsError, match="Room not found"):
            rooms.get(code)


def test_what_is_read_back_is_what_was_written(rooms: Rooms, store: RoomStore) -> None:
    created = rooms.create(clean("テスト"), None).room
    assert store.get(created.room_id) == created


def test_the_item_holds_no_token_and_stays_within_two_write_units(
    rooms: Rooms, client: DynamoDBClient, table: str
) -> None:
    host = rooms.create(clean("山" * 20), None)
    seats = [host, *(rooms.join(host.room.room_id, clean("海" * 20), None) for _ in range(4))]
    item = client.get_item(TableName=table, Key={"roomId": {"S": host.room.room_id}})["Item"]
    assert not any(seat.token in str(item) for seat in seats)

    consumed = client.put_item(TableName=table, Item=item, ReturnConsumedCapacity="TOTAL")
    assert consumed["ConsumedCapacity"]["CapacityUnits"] <= 2


@pytest.mark.parametrize("name_length", [5, 20])
def test_every_operation_is_one_request_and_a_leave_is_two(
    own_wire: Wire, rooms: Rooms, name_length: int
) -> None:
    def sent(call: Callable[[], T]) -> tuple[T, list[str]]:
        own_wire.sent.clear()
        return call(), list(own_wire.sent)

    name = clean("山" * name_length)
    host, create = sent(lambda: rooms.create(name, None))
    code = host.room.room_id
    guest, join = sent(lambda: rooms.join(code, name, None))
    _, get = sent(lambda: rooms.get(code))
    _, leave = sent(lambda: rooms.leave(code, guest.token))
    _, last = sent(lambda: rooms.leave(code, host.token))

    assert (create, join, get, leave, last) == (
        ["PutItem"],
        ["UpdateItem"],
        ["GetItem"],
        ["GetItem", "UpdateItem"],
        ["GetItem", "UpdateItem"],
    )


@pytest.mark.proof
def test_a_leave_that_is_overtaken_again_and_again_is_still_a_leave(
    rooms: Rooms, store: RoomStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = rooms.create(NAME, None)
    code = host.room.room_id
    others = Rooms(RoomStore(store._client, store._table), now_ms=clock)
    unhindered, guests = store.leave, list[str]()

    def hindered(room: Room, seat: Player, *, now_ms: int) -> Room:
        # Just before it would close the room, somebody comes; just before it would leave as one of
        # two, they go.
        if len(guests) < 5:
            if len(room.players) == 1:
                guests.append(others.join(code, NAME, None).token)
            else:
                others.leave(code, guests[-1])
        return unhindered(room, seat, now_ms=now_ms)

    monkeypatch.setattr(store, "leave", hindered)

    left = rooms.leave(code, host.token)

    assert left is not None
    assert len(guests) == 5
    assert not left.seat_of(host.token)
    assert left.seat_of(guests[-1])


@pytest.mark.proof
def test_a_room_remembers_a_bounded_number_of_leaves(
    rooms: Rooms, client: DynamoDBClient, table: str
) -> None:
    code = rooms.create(clean("山" * 20), None).room.room_id
    for _ in range(3 * MAX_LEFT):
        rooms.leave(code, rooms.join(code, NAME, None).token)
    assert len(rooms.get(code).left) == MAX_LEFT
    for _ in range(4):
        rooms.join(code, clean("海" * 20), None)

    item = client.get_item(TableName=table, Key={"roomId": {"S": code}})["Item"]
    consumed = client.put_item(TableName=table, Item=item, ReturnConsumedCapacity="TOTAL")
    assert consumed["ConsumedCapacity"]["CapacityUnits"] <= 2
