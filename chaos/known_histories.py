"""Histories whose verdict is known: the checker has to tell them before it is believed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chaos.checker import Call, check, needed
from chaos.model import Answer, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

_ERRORS: Final = {"NOT_FOUND", "ROOM_FULL", "FORBIDDEN", "TAKEN"}


def call(
    what: str, called: float, answered: float, answer: str = "", *, until: float | None = None
) -> Call:
    """Return an operation: ``join ann``, from when to when, and the answer.

    That is an error's code, or who sits in the room: ``ann bob``; ``?`` is no answer, with
    ``until``.
    """
    kind, _, person = what.partition(" ")
    seen = Answer(answer) if answer in _ERRORS else Answer("OK", tuple(answer.split()))
    return Call(
        kind=Kind(kind),
        person=person,
        called=called,
        answered=answered,
        answer=None if answer == "?" else seen,
        until=answered if until is None else until,
    )


_ANN: Final = call("create ann", 0, 1, "ann")
_BOB: Final = call("join bob", 2, 3, "ann bob")
_FULL: Final = (
    _ANN,
    _BOB,
    call("join cat", 4, 5, "ann bob cat"),
    call("join dan", 6, 7, "ann bob cat dan"),
    call("join eve", 8, 9, "ann bob cat dan eve"),
)

GOOD: Final[dict[str, Sequence[Call]]] = {
    "a game from beginning to end": (
        *_FULL,
        call("join fay", 10, 11, "ROOM_FULL"),
        call("leave ann", 12, 13, "bob cat dan eve"),
        call("get", 14, 15, "bob cat dan eve"),
        call("join fay", 16, 17, "bob cat dan eve fay"),
    ),
    "joins at the same time, in the order that a look tells": (
        _ANN,
        call("join bob", 2, 9, "ann cat bob"),
        call("join cat", 2, 9, "ann cat"),
        call("get", 3, 8, "ann cat"),
    ),
    "a join without an answer took effect late": (
        _ANN,
        call("join bob", 2, 3, "?", until=9),
        call("get", 4, 5, "ann"),
        call("get", 6, 7, "ann bob"),
    ),
    "a join without an answer never took effect": (
        _ANN,
        call("join bob", 2, 3, "?", until=9),
        call("get", 10, 11, "ann"),
    ),
    "the last one left, and the code is opened again": (
        _ANN,
        call("leave ann", 2, 3),
        call("get", 4, 5, "NOT_FOUND"),
        call("create cat", 6, 7, "cat"),
        call("create ann", 8, 9, "TAKEN"),
    ),
}

BAD: Final[dict[str, Sequence[Call]]] = {
    "a seat is lost": (_ANN, _BOB, call("get", 4, 5, "ann")),
    "a seat is doubled": (_ANN, _BOB, call("join bob", 4, 5, "ann bob bob")),
    "a room is over-full": (*_FULL, call("join fay", 10, 11, "ann bob cat dan eve fay")),
    "another one is host": (_ANN, _BOB, call("get", 4, 5, "bob ann")),
    "a look is stale": (_ANN, _BOB, call("leave bob", 4, 5, "ann"), call("get", 6, 7, "ann bob")),
    "what was seen goes back": (
        _ANN,
        call("join bob", 2, 9, "ann bob"),
        call("get", 3, 4, "ann bob"),
        call("get", 5, 6, "ann"),
    ),
    "a token is good after it left": (
        _ANN,
        _BOB,
        call("leave bob", 4, 5, "ann"),
        call("leave bob", 6, 7, "ann"),
    ),
    "a room is back after it was closed": (
        _ANN,
        call("leave ann", 2, 3),
        call("get", 4, 5, "ann"),
    ),
    "somebody joins where no room is": (call("join bob", 0, 1, "bob"),),
    "a room is full too early": (_ANN, _BOB, call("join cat", 4, 5, "ROOM_FULL")),
    "a join is seen before it was asked for": (
        _ANN,
        call("get", 2, 3, "ann bob"),
        call("join bob", 4, 5, "ann bob"),
    ),
    "a leave takes effect after its answer": (
        _ANN,
        _BOB,
        call("leave bob", 4, 5, "ann"),
        call("join bob", 6, 7, "ann bob"),
        call("get", 8, 9, "ann"),
    ),
    "a join without an answer takes effect after its last request": (
        _ANN,
        call("join bob", 2, 3, "?", until=4),
        call("get", 5, 6, "ann"),
        call("get", 7, 8, "ann bob"),
    ),
    "a seat is gone after a join that was answered": (
        _ANN,
        _BOB,
        call("leave bob", 4, 5, "FORBIDDEN"),
    ),
    "a living room is not found": (_ANN, call("get", 2, 3, "NOT_FOUND")),
    "a code has two owners": (_ANN, call("create bob", 2, 3, "bob")),
}


def wrong_verdicts() -> list[str]:
    """Return the names of the histories that the checker does not tell, whatever is allowed."""
    return [
        *(name for name, calls in GOOD.items() if check(calls) is not None),
        *(name for name, calls in BAD.items() if not _is_rejected(calls)),
    ]


def _is_rejected(calls: Sequence[Call]) -> bool:
    return not isinstance(needed(calls), tuple)
