"""What was asked and answered, and what the table did: one JSON line an operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from chaos.model import Kind, Seats

if TYPE_CHECKING:
    from collections.abc import Mapping

_OK, _NOT_MODIFIED = 200, 304


class Effect(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A request that the table carried out; times are in seconds.

    ``changed``: it gave or took a seat.
    """

    action: str
    room: str
    began: float
    ended: float
    status: int
    changed: bool


class Operation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An operation. Times are in seconds since the trial began.

    ``room`` is the code that was asked for, or that a create was given; empty where a create was
    given none. ``codes`` are those that a create tries. ``status`` is 0 when the function ended
    without an answer. ``seats`` are names. ``story`` and ``person`` say who asked.
    """

    story: int
    person: str
    kind: Kind
    room: str
    codes: tuple[str, ...] = ()
    is_anonymous: bool = False
    called: float
    answered: float
    status: int
    code: str = ""
    seats: Seats = ()
    player_ids: tuple[str, ...] = ()
    version: int = 0
    created_at: int = 0
    expires_at: int = 0
    fault: str
    requests: int
    """How many the function sent to the table."""
    writes: int
    """How many of them could change an item."""
    met: int
    """How many of them the fault met."""
    effects: tuple[Effect, ...] = ()
    is_earlier: bool = False
    problem: str = ""
    """What is wrong with the answer by itself."""

    @property
    def is_known(self) -> bool:
        """Whether its answer says what it did."""
        return 0 < self.status < 500

    @property
    def is_done(self) -> bool:
        """Whether it was answered as done."""
        return self.status in {_OK, _NOT_MODIFIED}

    @property
    def changes(self) -> list[Effect]:
        """What it changed, in the order of time."""
        return [effect for effect in self.effects if effect.changed]


ENCODER: Final = msgspec.json.Encoder()


def room_facts(room: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the fields of an operation that a room in an answer gives."""
    if room is None:
        return {}
    return {
        "seats": tuple(player["name"] for player in room["players"]),
        "player_ids": tuple(player["playerId"] for player in room["players"]),
        "version": room["version"],
        "created_at": room["createdAt"],
        "expires_at": room["expiresAt"],
    }
