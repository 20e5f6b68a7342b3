"""Joins, leaves and repeats in any order, against a model small enough to be obviously right.

Any of them may have been given up in part: the first attempt at each of its requests is carried out
later, at any time, and must change nothing.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from lambda_src.rooms import dynamodb, tokens
from lambda_src.rooms.dynamodb import DynamoDb
from lambda_src.rooms.errors import RoomsError
from lambda_src.rooms.names import clean
from lambda_src.rooms.service import LIFETIME_S, Rooms
from lambda_src.rooms.store import RoomStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lambda_src.rooms.conftest import Clock
    from tests.support.rooms.wire import Wire

_numbers = itertools.count()
PEOPLE = st.integers(0, 7)


class Model(RuleBasedStateMachine):
    """One room code, eight people, one clock.

    ``seats`` is the model: who sits there, in the order in which they came; None is no room.
    """

    def __init__(self, rooms: Rooms, slow: Rooms, wire: Wire, clock: Clock) -> None:
        super().__init__()
        self.rooms = rooms
        self.slow = slow
        self.wire = wire
        self.wire.drop()
        self.clock = clock
        run = next(_numbers)
        self.tokens = [f"{run:024d}-person-{person}" for person in range(8)]
        self.code = tokens.room_code(self.tokens[0], 0)
        self.seats: list[int] | None = None
        self.expires_s = 0

    def outcome(self, call: Callable[[], object]) -> str:
        try:
            call()
        except RoomsError as error:
            return error.code.name
        return "OK"

    def extend(self) -> None:
        self.expires_s = self.clock.now_ms // 1000 + LIFETIME_S

    def rooms_whose_first_attempts_are(self, *, late: bool) -> Rooms:
        if not late:
            return self.rooms
        before = self.wire.writes
        self.wire.holds = lambda number: (number - before) % 2 == 1
        return self.slow

    @rule()
    def what_was_given_up_is_carried_out(self) -> None:
        self.wire.land()  # The invariant says the rest.

    @rule(late=st.booleans())
    def create(self, *, late: bool) -> None:
        if self.seats is not None and self.seats[0] != 0:
            return  # That opens another room, under the next code; test_retries has it.
        rooms = self.rooms_whose_first_attempts_are(late=late)
        seat = rooms.create(clean("0"), self.tokens[0])
        assert seat.room.room_id == self.code
        if self.seats is None:
            self.seats = [0]
            self.extend()

    @rule(person=PEOPLE, late=st.booleans())
    def join(self, person: int, *, late: bool) -> None:
        rooms = self.rooms_whose_first_attempts_are(late=late)
        outcome = self.outcome(
            lambda: rooms.join(self.code, clean(str(person)), self.tokens[person])
        )
        if late and outcome == "UNAVAILABLE":
            # There is no item that could refuse the late attempt, and nobody can say what it does.
            assert self.seats is None
            self.wire.drop()
        elif self.seats is None:
            assert outcome == "NOT_FOUND"
        elif person in self.seats:
            assert outcome == "OK"
        elif len(self.seats) == 5:
            assert outcome == "ROOM_FULL"
        else:
            assert outcome == "OK"
            self.seats.append(person)
            self.extend()

    @rule(person=PEOPLE, late=st.booleans())
    def leave(self, person: int, *, late: bool) -> None:
        rooms = self.rooms_whose_first_attempts_are(late=late)
        outcome = self.outcome(lambda: rooms.leave(self.code, self.tokens[person]))
        if self.seats is None:
            assert outcome == "NOT_FOUND"
        elif person not in self.seats:
            assert outcome == "FORBIDDEN"
        else:
            assert outcome == "OK"
            self.seats.remove(person)
            self.seats = self.seats or None

    @rule(hours=st.integers(1, 30))
    def pass_time(self, hours: int) -> None:
        # AWS refuses a request that was signed so long ago.
        self.wire.drop()
        self.clock.pass_seconds(hours * 3600)
        if self.clock.now_ms // 1000 >= self.expires_s:
            self.seats = None

    @rule(minutes=st.integers(1, 30))
    def another_environment_whose_clock_is_behind_joins(self, minutes: int) -> None:
        behind = self.clock.now_ms - minutes * 60_000
        if self.seats is None or len(self.seats) == 5 or 7 in self.seats:
            return
        rooms = Rooms(self.rooms._store, now_ms=lambda: behind)
        rooms.join(self.code, clean("7"), self.tokens[7])
        self.seats.append(7)
        self.expires_s = max(self.expires_s, behind // 1000 + LIFETIME_S)

    @invariant()
    def the_room_is_as_the_model_says(self) -> None:
        if self.seats is None:
            assert self.outcome(lambda: self.rooms.get(self.code)) == "NOT_FOUND"
            return
        room = self.rooms.get(self.code)
        assert [player.name for player in room.players] == [str(seat) for seat in self.seats]
        assert room.host_id == tokens.player_id(self.tokens[self.seats[0]], self.code)
        assert room.expires_at == self.expires_s * 1000
        for person, token in enumerate(self.tokens):
            assert (room.seat_of(token) is not None) == (person in self.seats)


@pytest.mark.parametrize("examples", [15, pytest.param(300, marks=pytest.mark.proof)])
def test_host_seats_and_tokens_are_right_in_every_order(
    *,
    store: RoomStore,
    wire: Wire,
    table: str,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    examples: int,
) -> None:
    monkeypatch.setattr(dynamodb, "MAX_PAUSE_S", 0)
    slow = Rooms(RoomStore(DynamoDb(wire), table), now_ms=clock)
    run_state_machine_as_test(
        lambda: Model(Rooms(store, now_ms=clock), slow, wire, clock),  # type: ignore[arg-type]  # or a factory
        settings=settings(max_examples=examples, stateful_step_count=30, deadline=None),
    )
