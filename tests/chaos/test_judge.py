"""The judge finds what the contract does not allow, and names what it does."""

from typing import Any

import msgspec
import pytest

from chaos.checker import Allowance
from chaos.history import Effect, Operation
from chaos.judge import (
    EXPIRY_OF_EARLIER,
    LATE_AFTER_503,
    NO_OWNER,
    REPEATED_BY_NETWORK,
    judge,
    line,
)
from chaos.model import Kind

ROOM = "BCDF23"


def operation(
    kind: Kind, person: str, called: float, seats: str = "", *, at: float | None = None, **how: Any
) -> Operation:
    """An operation of 0.5 s that was answered; ``at`` is when it changed the room."""
    names = tuple(seats.split())
    effect = Effect(
        action="UpdateItem", room=ROOM, began=at or 0, ended=at or 0, status=200, changed=True
    )
    fields: dict[str, Any] = {
        "story": 1,
        "person": person,
        "kind": kind,
        "room": ROOM,
        "codes": (ROOM, "XXXXXX") if kind is Kind.CREATE else (),
        "called": called,
        "answered": called + 0.5,
        "status": 200,
        "code": "OK",
        "seats": names,
        "player_ids": tuple(f"id of {name}" for name in names),
        "version": int(called) + 1,
        "created_at": 1,
        "expires_at": 100,
        "fault": "none",
        "requests": 1,
        "writes": 1,
        "met": 0,
        "effects": () if at is None else (effect,),
    }
    return Operation(**{**fields, **how})


CREATE = operation(Kind.CREATE, "ann", 0, "ann", at=0.2)
JOIN = operation(Kind.JOIN, "bob", 1, "ann bob", at=1.2)


def look(called: float, seats: str, **how: Any) -> Operation:
    if not seats:
        how |= {"status": 404, "code": "NOT_FOUND"}
    return operation(Kind.GET, "", called, seats, **{"version": 99, **how})


def whats(*operations: Operation) -> list[str]:
    return [violation.what for violation in judge(operations).violations]


def test_a_game_is_as_the_contract_says() -> None:
    verdict = judge([CREATE, JOIN, look(2, "ann bob")])

    assert verdict.violations == ()
    assert (verdict.allowed, verdict.rooms) == ({}, 1)


def test_a_late_leave_is_found_with_the_history_that_shows_it() -> None:
    leave = operation(Kind.LEAVE, "bob", 2, "ann", at=8.0)
    again = operation(Kind.JOIN, "bob", 4, "ann bob", at=4.2)
    violations = judge([CREATE, JOIN, leave, again, look(9, "ann")]).violations

    assert [one.what for one in violations] == [
        "a leave takes a seat away after its answer (OK)",
        "no order explains an answer: get OK",
    ]
    assert "UpdateItem at 8.000" not in violations[0].lines[0], "no fault was made"
    assert violations[0].lines == (line(leave), line(again))


def test_a_late_create_is_found_although_nobody_looks() -> None:
    create = msgspec.structs.replace(CREATE, effects=(*CREATE.effects, *JOIN.effects))

    assert whats(create) == ["a create opens a room after its answer (OK)"]


def test_a_join_that_was_refused_and_takes_a_seat_is_found() -> None:
    refused = operation(Kind.JOIN, "bob", 1, at=3.0, status=409, code="ROOM_FULL")

    assert "a join takes a seat after its answer (ROOM_FULL)" in whats(CREATE, refused)


def test_an_operation_without_an_answer_may_take_effect_late_and_is_counted() -> None:
    unknown = operation(Kind.JOIN, "bob", 1, at=5.0, status=503, code="UNAVAILABLE")
    verdict = judge([CREATE, unknown, look(2, "ann"), look(9, "ann bob", version=100)])

    assert verdict.violations == ()
    assert verdict.allowed == {LATE_AFTER_503: 1}


def test_an_operation_whose_requests_changed_nothing_takes_no_effect() -> None:
    unknown = operation(Kind.JOIN, "bob", 1, status=503, code="UNAVAILABLE")

    assert whats(CREATE, unknown, look(9, "ann bob")) == ["no order explains an answer: get OK"]


def test_a_leave_that_was_sent_twice_may_say_yes_to_who_has_no_seat() -> None:
    leave = operation(Kind.LEAVE, "bob", 2, "ann", writes=2, version=1)

    assert judge([CREATE, leave]).allowed == {Allowance.REPEATED_LEAVE.value: 1}


def test_a_create_that_passes_a_free_code_over_is_found() -> None:
    passing = operation(Kind.CREATE, "ann", 0, "ann", room="XXXXXX")

    assert whats(passing) == ["no order explains an answer: create OK"]


@pytest.mark.parametrize("count", [1, 2])
def test_a_seat_that_nobody_can_give_up_is_allowed_where_its_return_was_lost(count: int) -> None:
    unknown = operation(
        Kind.JOIN, "bob", 1, at=1.2, status=503, code="UNAVAILABLE", is_anonymous=True,
        fault="lost-answer", requests=2, met=count,
    )  # fmt: skip
    verdict = judge([CREATE, unknown, look(9, "ann bob")])

    if count == 2:
        assert (verdict.violations, verdict.allowed) == ((), {NO_OWNER: 1})
    else:
        assert [one.what for one in verdict.violations] == ["a seat has no owner"]


def test_a_seat_that_is_given_back_is_gone() -> None:
    both = (*JOIN.effects, msgspec.structs.replace(JOIN.effects[0], began=1.4, ended=1.4))
    unknown = operation(
        Kind.JOIN, "bob", 1, status=503, code="UNAVAILABLE", is_anonymous=True, requests=3
    )
    given_back = msgspec.structs.replace(unknown, effects=both)

    assert judge([CREATE, given_back, look(9, "ann")]).violations == ()


def test_a_problem_of_an_answer_is_a_violation() -> None:
    wrong = msgspec.structs.replace(CREATE, problem="POST /rooms answers 418")

    assert whats(wrong) == ["POST /rooms answers 418"]


def test_one_version_has_one_content() -> None:
    other = msgspec.structs.replace(JOIN, version=CREATE.version)

    assert whats(CREATE, other) == ["one version has two contents"]


def test_expiry_moves_only_ahead() -> None:
    assert whats(CREATE, msgspec.structs.replace(JOIN, expires_at=99)) == ["expiresAt moves back"]


def test_the_earlier_version_may_set_an_expiry_that_it_has_not_read() -> None:
    join = msgspec.structs.replace(JOIN, expires_at=99, is_earlier=True)
    verdict = judge([CREATE, join])
    assert (verdict.violations, verdict.allowed) == ((), {EXPIRY_OF_EARLIER: 1})

    create = msgspec.structs.replace(CREATE, is_earlier=True)
    assert whats(create, msgspec.structs.replace(JOIN, expires_at=99)) == ["expiresAt moves back"]


def test_a_player_has_one_seat() -> None:
    doubled = msgspec.structs.replace(JOIN, player_ids=("id", "id"))

    assert whats(CREATE, doubled) == ["a player has two seats"]


def test_what_the_network_repeats_by_itself_is_counted() -> None:
    refused = operation(
        Kind.JOIN, "bob", 1, at=3.0, status=409, code="NOT_FOUND", fault="twice-late"
    )
    early = msgspec.structs.replace(refused, called=-1, answered=-0.5, status=404)
    verdict = judge([CREATE, early, look(2, "ann"), look(9, "ann bob", version=100)])

    assert (verdict.violations, verdict.allowed) == ((), {REPEATED_BY_NETWORK: 1})
