"""The checker tells good histories from bad ones, as a search through all orders does."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chaos import checker, known_histories
from chaos.checker import Allowance, Call, Failure, check, needed
from chaos.known_histories import BAD, GOOD, call
from chaos.model import Answer, Kind, Seats, apply

if TYPE_CHECKING:
    from collections.abc import Sequence

PEOPLE = ("ann", "bob", "cat")


def explained(calls: Sequence[Call]) -> bool:
    """Try every order of every choice of the operations that nobody knows of: nothing clever."""
    known = [one for one in calls if one.answer is not None]
    unknown = [one for one in calls if one.answer is None]
    for size in range(len(unknown) + 1):
        for chosen in itertools.combinations(unknown, size):
            if any(map(_is_right, itertools.permutations([*known, *chosen]))):
                return True
    return False


def _is_right(order: Sequence[Call]) -> bool:
    for before, after in itertools.combinations(order, 2):
        if (after.until if after.answer is None else after.answered) < before.called:
            return False
    seats: Seats = ()
    for one in order:
        seats, answer = apply(seats, one.kind, one.person)
        if one.answer not in (None, answer):
            return False
    return True


@st.composite
def histories(draw: st.DrawFn) -> list[Call]:
    """Operations that overlap, with the answers of some order; then some are changed."""
    count = draw(st.integers(1, 6))
    moments = draw(st.permutations(range(2 * count)))
    spans = [sorted(moments[2 * one : 2 * one + 2]) for one in range(count)]
    spans.sort(key=lambda span: draw(st.integers(span[0], span[1])))
    seats: Seats = ()
    calls = []
    for called, answered in spans:
        kind = draw(st.sampled_from(Kind))
        person = draw(st.sampled_from(PEOPLE))
        seats, answer = apply(seats, kind, person)
        how = draw(st.sampled_from(["right", "right", "right", "unknown", "other"]))
        if how == "other":
            answer = draw(
                st.sampled_from([Answer("NOT_FOUND"), Answer("OK", seats[1:]), Answer("OK", seats)])
            )
        calls.append(
            Call(
                kind=kind,
                person=person,
                called=called,
                answered=answered,
                answer=None if how == "unknown" else answer,
                until=answered + (draw(st.integers(0, 4)) if how == "unknown" else 0),
            )
        )
    return draw(st.permutations(calls))


@pytest.mark.proof
@settings(max_examples=800, deadline=None)
@given(histories())
@example([call("get", 0, 1, "NOT_FOUND"), call("create ann", 0, 1, "?", until=1)])
def test_it_agrees_with_a_search_through_all_orders(calls: list[Call]) -> None:
    assert (check(calls) is None) == explained(calls)


@pytest.mark.proof
@settings(max_examples=300, deadline=None)
@given(histories())
def test_who_allows_more_explains_no_less(calls: list[Call]) -> None:
    verdicts = [check(calls, allowed) is None for allowed in checker.STEPS]

    assert verdicts == sorted(verdicts)


@pytest.mark.parametrize("name", GOOD)
def test_a_good_history_is_accepted(name: str) -> None:
    assert needed(GOOD[name]) == ()


@pytest.mark.parametrize("name", BAD)
def test_a_bad_history_is_rejected_whatever_is_allowed(name: str) -> None:
    assert isinstance(needed(BAD[name]), Failure)


def test_a_checker_that_believes_everything_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_histories, "needed", lambda _: ())

    assert known_histories.wrong_verdicts() == list(BAD)


def test_a_checker_that_believes_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_histories, "check", lambda _: Failure(0, 0, ()))

    assert known_histories.wrong_verdicts() == list(GOOD)


def repeated(one: Call) -> Call:
    return Call(
        kind=one.kind,
        person=one.person,
        called=one.called,
        answered=one.answered,
        answer=one.answer,
        until=one.until,
        is_repeated=True,
    )


OPEN = (call("create ann", 0, 1, "ann"), call("join bob", 2, 3, "ann bob"))


@pytest.mark.parametrize(
    ("calls", "allowance"),
    [
        (
            [
                *OPEN[:1],
                call("leave ann", 2, 3),
                call("create bob", 4, 5, "TAKEN"),
                call("get", 6, 7, "NOT_FOUND"),
            ],
            Allowance.CODE_KEPT,
        ),
        # The seat was taken before cat came, and is shown after.
        (
            [
                *OPEN[:1],
                repeated(call("join bob", 2, 9, "ann bob cat")),
                call("join cat", 4, 5, "ann bob cat"),
            ],
            Allowance.LATER_VIEW,
        ),
        # The seat was given up before bob took another in a second tab.
        (
            [
                *OPEN,
                repeated(call("leave bob", 4, 9, "ann bob")),
                call("get", 5, 6, "ann"),
                call("join bob", 7, 8, "ann bob"),
            ],
            Allowance.LATER_VIEW,
        ),
        ([*OPEN[:1], repeated(call("leave bob", 2, 3, "ann"))], Allowance.REPEATED_LEAVE),
        (
            [
                *OPEN[:1],
                repeated(call("join bob", 2, 9, "ann bob")),
                call("get", 3, 4, "ann bob"),
                call("leave bob", 5, 6, "ann"),
                call("get", 7, 8, "ann"),
                call("get", 10, 11, "ann bob"),
            ],
            Allowance.ACTS_AGAIN,
        ),
    ],
)
def test_what_the_contract_allows_is_named(calls: list[Call], allowance: Allowance) -> None:
    found = needed(calls)

    assert not isinstance(found, Failure)
    assert list(found) == [allowance]


def test_a_code_that_never_had_a_room_is_passed_over_by_nobody() -> None:
    assert isinstance(needed([call("create bob", 0, 1, "TAKEN")]), Failure)


def test_a_leave_that_was_sent_once_has_to_have_a_seat() -> None:
    assert isinstance(needed([OPEN[0], call("leave bob", 2, 3, "ann")]), Failure)


def test_the_failure_says_who_sat_there_when_nothing_was_under_way() -> None:
    failure = check([*OPEN, call("get", 4, 5, "ann")])

    assert failure == Failure(2, 3, ("ann", "bob"))
