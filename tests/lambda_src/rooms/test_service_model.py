"""Joins, leaves and repeats in any order, against a model small enough to be obviously right."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from lambda_src.rooms import tokens
from lambda_src.rooms.errors import RoomsError
from lambda_src.rooms.names import clean
from lambda_src.rooms.service import LIFETIME_S, Rooms

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_src.rooms.store import RoomStore
    from tests.lambda_src.rooms.conftest import Clock

_numbers = itertools.count()
PEOPLE = st.integers(0, 7)


class Model(RuleBasedStateMachine):
    """One room code, eight people, one clock.

    ``seats`` is the model: who sits there, in the order in which they came; None is no room.
    """

    def __init__(self, rooms: Rooms, clock: Clock) -> None:
        super().__init__()
        self.rooms = rooms
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

    @rule()
    def create(self) -> None:
        if self.seats is not None and self.seats[0] != 0:
            return  # That opens another room, under the next code; test_retries has it.
        seat = self.rooms.create(clean("0"), self.tokens[0])
        assert seat.room.room_id == self.code
        if self.seats is None:
            self.seats = [0]
            self.extend()

    @rule(person=PEOPLE)
    def join(self, person: int) -> None:
        outcome = self.outcome(
            lambda: self.rooms.join(self.code, clean(str(person)), self.tokens[person])
        )
        if self.seats is None:
            assert outcome == "NOT_FOUND"
        elif person in self.seats:
            assert outcome == "OK"
        elif len(self.seats) == 5:
            assert outcome == "ROOM_FULL"
        else:
            assert outcome == "OK"
            self.seats.append(person)
            self.extend()

    @rule(person=PEOPLE)
    def leave(self, person: int) -> None:
        outcome = self.outcome(lambda: self.rooms.leave(self.code, self.tokens[person]))
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
        self.expires_s = behind // 1000 + LIFETIME_S

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


@pytest.mark.usefixtures("table")
def test_host_seats_and_tokens_are_right_in_every_order(store: RoomStore, clock: Clock) -> None:
    run_state_machine_as_test(
        lambda: Model(Rooms(store, now_ms=clock), clock),  # type: ignore[arg-type]  # or a factory
        settings=settings(max_examples=60, stateful_step_count=30, deadline=None),
    )
