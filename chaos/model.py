"""What one room does when one operation comes after the other: all that the checker believes."""

from enum import StrEnum
from typing import Final

import msgspec

SEATS: Final = 5

Seats = tuple[str, ...]
"""Who sits in a room, in the order in which they came; nobody: there is no room."""


class Kind(StrEnum):
    """What somebody does."""

    CREATE = "create"
    GET = "get"
    JOIN = "join"
    LEAVE = "leave"


class Answer(msgspec.Struct, frozen=True):
    """What somebody was told: a word, and with ``OK`` the room."""

    code: str
    seats: Seats = ()


TAKEN: Final = Answer("TAKEN")
"""A create went on to its next code, since this one has a room of somebody else's."""


def apply(seats: Seats, kind: Kind, person: str) -> tuple[Seats, Answer]:
    """Return the room after an operation, and its answer."""
    is_seated = person in seats
    match kind:
        case Kind.CREATE if seats and seats[0] != person:
            return seats, TAKEN
        case Kind.GET | Kind.JOIN | Kind.LEAVE if not seats:
            return seats, Answer("NOT_FOUND")
        case Kind.JOIN if not is_seated and len(seats) == SEATS:
            return seats, Answer("ROOM_FULL")
        case Kind.LEAVE if not is_seated:
            return seats, Answer("FORBIDDEN")
        case Kind.CREATE | Kind.JOIN if not is_seated:
            after = (*seats, person)
        case Kind.LEAVE:
            after = tuple(seat for seat in seats if seat != person)
        case _:
            after = seats
    return after, Answer("OK", after)
