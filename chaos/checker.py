"""Tells whether a room's answers could have come from the model, one operation after the other.

Each operation has to take effect at one moment between its call and its answer, so that all answers
are the model's (Herlihy and Wing, https://doi.org/10.1145/78969.78972). The search is Lowe's, which
lets operations take effect only when an answer needs it, and keeps every situation once
(https://doi.org/10.1002/cpe.3928). An operation whose answer nobody knows takes effect at any
moment until its last request was carried out, or never.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

import msgspec

from chaos.model import TAKEN, Answer, Kind, Seats, apply

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


class Allowance(Enum):
    """What the contract allows beyond the model. The value is the reason."""

    CODE_KEPT = (
        "A create goes on to its next code, since the room of this one was closed a short time ago:"
        " the code is kept from creates that are late."
    )
    LATER_VIEW = (
        "The answer shows the room at a later moment than that of the effect: the first answer was"
        " lost, and the repeat found the work done."
    )
    REPEATED_LEAVE = (
        "A leave that was sent twice says 200 to somebody without a seat: its own first request may"
        " have given it up."
    )
    ACTS_AGAIN = (
        "An operation that was sent twice takes effect twice, because the same token did the"
        " opposite in between, in another tab."
    )


STEPS = tuple(tuple(Allowance)[:number] for number in range(len(Allowance) + 1))
"""What is allowed, from nothing to everything."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """An operation on one room. Times are in seconds.

    ``answer`` is None where nobody knows it; then it may take effect until ``until``, and
    ``answered`` is when its client gave up. ``is_repeated``: the function may have sent it twice.
    """

    kind: Kind
    person: str
    called: float
    answered: float
    answer: Answer | None
    until: float
    is_repeated: bool = False


class Failure(msgspec.Struct, frozen=True):
    """The call (by number) whose answer has no explanation; and what was known before.

    ``quiet`` is the last moment when nothing was under way, ``seats`` who sat there then.
    """

    call: int
    quiet: float
    seats: Seats


class _Situation(msgspec.Struct, frozen=True):
    """A room, and the numbers of calls: not yet in effect; in effect, but not yet seen.

    ``was_closed``: there has been a room before.
    """

    seats: Seats
    was_closed: bool
    called: frozenset[int]
    acted: frozenset[int]

    def without(self, number: int) -> _Situation:
        called, acted = self.called - {number}, self.acted - {number}
        return _Situation(self.seats, self.was_closed, called, acted)

    def then(self, seats: Seats, called: frozenset[int], acted: frozenset[int]) -> _Situation:
        was_closed = self.was_closed or (self.seats != () and seats == ())
        return _Situation(seats, was_closed, called, acted)

    def has(self, number: int) -> bool:
        return number in self.called or number in self.acted


def check(calls: Sequence[Call], allowed: Iterable[Allowance] = ()) -> Failure | None:
    """Return the first answer that cannot be explained; None when all can.

    The room starts empty.
    """
    return _Search(calls, frozenset(allowed)).run()


def needed(calls: Sequence[Call]) -> Sequence[Allowance] | Failure:
    """Return what has to be allowed to explain a room, as little as possible; or the failure."""
    failure = None
    for step in STEPS:
        failure = check(calls, step)
        if failure is None:
            return _least(calls, step)
    assert failure is not None  # the last step failed
    return failure


def _least(calls: Sequence[Call], allowed: tuple[Allowance, ...]) -> tuple[Allowance, ...]:
    for one in allowed[:-1]:
        without = tuple(other for other in allowed if other is not one)
        if check(calls, without) is None:
            allowed = without
    return allowed


class _Moment(Enum):
    """At one time, calls come first: that allows most."""

    CALL = 0
    ANSWER = 1
    END = 2


class _Search:
    def __init__(self, calls: Sequence[Call], allowed: frozenset[Allowance]) -> None:
        self._calls = calls
        self._allowed = allowed
        self._running: set[int] = set()

    def run(self) -> Failure | None:
        situations = {_Situation((), was_closed=False, called=frozenset(), acted=frozenset())}
        quiet, seats = 0.0, Seats()
        for time, moment, number in self._moments():
            call = self._calls[number]
            match moment:
                case _Moment.CALL:
                    self._running.add(number)
                    situations = {
                        self._seen(one.then(one.seats, one.called | {number}, one.acted))
                        for one in situations
                    }
                case _Moment.ANSWER:
                    if call.answer is not None:
                        situations = self._until_done(situations, number)
                    self._running.discard(number)
                case _Moment.END:
                    done = self._until_done(situations, number)
                    situations = {one.without(number) for one in situations} | done
            if not situations:
                return Failure(number, quiet, seats)
            one = next(iter(situations))
            if len(situations) == 1 and not one.called and not one.acted:
                quiet, seats = time, one.seats
        return None

    def _moments(self) -> list[tuple[float, _Moment, int]]:
        moments = []
        for number, call in enumerate(self._calls):
            moments += [
                (call.called, _Moment.CALL, number),
                (call.answered, _Moment.ANSWER, number),
            ]
            if call.answer is None:
                moments.append((max(call.until, call.answered), _Moment.END, number))
        return sorted(moments, key=lambda moment: (moment[0], moment[1].value))

    def _until_done(self, situations: set[_Situation], number: int) -> set[_Situation]:
        """Let operations take effect, in every order, until this one has."""
        met = set(situations)
        done = {one for one in situations if not one.has(number)}
        todo = [one for one in situations if one.has(number)]
        while todo:
            for following in self._following(todo.pop()):
                if following in met:
                    continue
                met.add(following)
                if following.has(number):
                    todo.append(following)
                else:
                    done.add(following)
        return done

    def _following(self, before: _Situation) -> Iterator[_Situation]:
        for number in before.called:
            call = self._calls[number]
            seats, answer = apply(before.seats, call.kind, call.person)
            if self._explains(call, seats, answer):
                waiting = before.acted | ({number} if call.answer else frozenset())
                yield self._seen(before.then(seats, before.called - {number}, waiting))
            if (
                Allowance.ACTS_AGAIN in self._allowed
                and call.is_repeated
                and number in self._running
                and answer.code == "OK"
            ):
                yield self._seen(before.then(seats, before.called, before.acted))

    def _explains(self, call: Call, seats: Seats, answer: Answer) -> bool:
        """Whether it may take effect now, if that makes this room and this answer."""
        if call.answer is None:
            return answer.code == "OK"
        if call.answer == answer:
            return True
        is_later = Allowance.LATER_VIEW in self._allowed
        if call.answer.code != "OK" or (call.answer.seats != seats and not is_later):
            return False
        if answer.code == "OK":
            return True
        is_repeated = call.kind is Kind.LEAVE and call.is_repeated
        return is_repeated and Allowance.REPEATED_LEAVE in self._allowed

    def _seen(self, situation: _Situation) -> _Situation:
        """Give every answer that is only read its room, as soon as it fits: later is no better."""
        called = {number for number in situation.called if not self._reads(number, situation)}
        acted = {
            number
            for number in situation.acted
            if not self._shows(self._calls[number], situation.seats)
        }
        return situation.then(situation.seats, frozenset(called), frozenset(acted))

    def _reads(self, number: int, situation: _Situation) -> bool:
        """Whether it changes nothing, and is told what is so now."""
        call = self._calls[number]
        if call.answer is None or (call.answer.code == "OK" and call.kind is not Kind.GET):
            return False
        if call.answer == TAKEN and situation.seats == () and situation.was_closed:
            return Allowance.CODE_KEPT in self._allowed
        return apply(situation.seats, call.kind, call.person)[1] == call.answer

    @staticmethod
    def _shows(call: Call, seats: Seats) -> bool:
        assert call.answer is not None
        if call.kind is Kind.CREATE and seats[:1] != (call.person,):
            return False
        # Who has left may be back in another tab, when the room is shown.
        is_there = call.kind is Kind.LEAVE or call.person in seats
        return is_there and call.answer.seats == seats
