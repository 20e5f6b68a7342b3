"""An operation that has taken long sends no further request, and so ends before the function."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lambda_src.rooms.dynamodb import DynamoDb
from lambda_src.rooms.service import PATIENCE_S, Rooms
from lambda_src.rooms.store import RoomStore
from tests.lambda_src.rooms.conftest import Api, Clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_src.rooms.answer import Content
    from tests.support.rooms.wire import Wire

pytestmark = pytest.mark.usefixtures("no_pauses")


@pytest.fixture
def slow(wire: Wire, table: str, clock: Clock) -> Api:
    """An API whose answers can be lost."""
    return Api(Rooms(RoomStore(DynamoDb(wire), table), now_ms=clock))


@pytest.fixture
def slow_down(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Callable[[], list[str]]:
    """Let each request take all the time that there is; returns those that are sent then."""
    sent: list[str] = []

    request = DynamoDb.request

    def slowly(client: DynamoDb, operation: str, **arguments: object) -> Content:
        sent.append(operation)
        try:
            return request(client, operation, **arguments)
        finally:
            clock.pass_seconds(PATIENCE_S + 1)

    def begin() -> list[str]:
        monkeypatch.setattr(DynamoDb, "request", slowly)
        return sent

    return begin


def test_a_create_that_finds_its_closed_room_late_leaves_it_closed(
    api: Api, slow: Api, slow_down: Callable[[], list[str]], token: str
) -> None:
    room = api.create(token=token).body["roomId"]
    api.leave(room, token)
    requests = slow_down()
    assert slow.create(token=token).code == "UNAVAILABLE"
    assert requests == ["PutItem"]


def test_a_create_whose_answers_are_lost_late_is_not_taken_back(
    slow: Api, wire: Wire, slow_down: Callable[[], list[str]]
) -> None:
    wire.loses = lambda _: True
    requests = slow_down()
    assert slow.create().code == "UNAVAILABLE"
    assert requests == ["PutItem"]


def test_a_join_that_is_refused_late_is_not_known_to_be_refused(
    api: Api, slow: Api, wire: Wire, slow_down: Callable[[], list[str]], token: str
) -> None:
    room = api.create().body["roomId"]
    for _ in range(4):
        api.join(room)
    wire.hold_next()
    requests = slow_down()
    assert slow.join(room, token=token).code == "UNAVAILABLE"
    assert requests == ["UpdateItem"]


def test_a_leave_that_has_read_late_changes_nothing(
    api: Api, slow: Api, slow_down: Callable[[], list[str]], token: str
) -> None:
    room = api.create(token=token).body["roomId"]
    requests = slow_down()
    assert slow.leave(room, token).code == "UNAVAILABLE"
    assert requests == ["GetItem"]
