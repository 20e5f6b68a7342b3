"""The model that histories are judged by does what the rooms do, one operation after the other."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.environment import TABLE
from chaos.model import TAKEN, Answer, Kind, Seats, apply
from chaos.trial import make_table
from lambda_src.rooms import tokens
from lambda_src.rooms.dynamodb import DynamoDb
from lambda_src.rooms.errors import RoomsError
from lambda_src.rooms.names import clean
from lambda_src.rooms.service import Rooms
from lambda_src.rooms.store import RoomStore
from tests.support.rooms.wire import Wire

if TYPE_CHECKING:
    from lambda_src.rooms.room import Room

HOST = "0"
PEOPLE = [HOST, *"123456"]
STEPS = st.lists(
    st.tuples(st.sampled_from(Kind), st.sampled_from(PEOPLE)).filter(
        lambda step: step[0] is not Kind.CREATE or step[1] == HOST
    ),
    max_size=25,
)
_numbers = itertools.count()


@pytest.fixture
def rooms(dynamodb_endpoint: str) -> Rooms:
    make_table(dynamodb_endpoint)
    return Rooms(RoomStore(DynamoDb(Wire(dynamodb_endpoint)), TABLE))


@pytest.mark.proof
def test_it_does_what_the_rooms_do(rooms: Rooms) -> None:
    @settings(max_examples=60, deadline=None)
    @given(STEPS)
    def agrees(steps: list[tuple[Kind, str]]) -> None:
        run = next(_numbers)
        ours = {person: f"{run:024d}-chaos-model-{person}" for person in PEOPLE}
        code = tokens.room_code(ours[HOST], 0)
        seats: Seats = ()
        for kind, person in steps:
            seats, answer = apply(seats, kind, person)
            assert told(rooms, kind, person, ours[person], code) == answer

    agrees()


def told(rooms: Rooms, kind: Kind, person: str, token: str, code: str) -> Answer:
    """Ask the rooms, and return the answer as the model says it."""
    room: Room | None
    try:
        match kind:
            case Kind.CREATE:
                room = rooms.create(clean(person), token).room
            case Kind.GET:
                room = rooms.get(code)
            case Kind.JOIN:
                room = rooms.join(code, clean(person), token).room
            case Kind.LEAVE:
                room = rooms.leave(code, token)
    except RoomsError as error:
        return Answer(error.code.name)
    if room and room.room_id != code:
        return TAKEN
    return Answer("OK", tuple(player.name for player in room.players) if room else ())
