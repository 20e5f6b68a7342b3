"""The outcome of the invocation of live."""

from dataclasses import dataclass
from typing import Final

from release.diagnosis.log_lines import Line


@dataclass(frozen=True)
class Answered:
    """The function answered the invocation. ``status`` is 0 when that is no HTTP response."""

    status: int
    code: str = ""
    """The error code of the contract."""
    tail: tuple[Line, ...] = ()


@dataclass(frozen=True)
class Failed:
    """The invocation ended with an error of the function's (``X-Amz-Function-Error``)."""

    type: str
    message: str
    tail: tuple[Line, ...] = ()


@dataclass(frozen=True)
class TurnedAway:
    """Lambda did not run the function."""

    code: str
    reason: str = ""
    message: str = ""


@dataclass(frozen=True)
class Silent:
    """No answer came in that many seconds."""

    seconds: float


InvocationOutcome = Answered | Failed | TurnedAway | Silent


ROOM_THAT_IS_NOT: Final = "ZZZZZZ"
"""The room that is asked for. Should there be one of this name, its answer proves as much."""


_WORKS: Final = ((200, ""), (404, "NOT_FOUND"))


def answers(invocation: InvocationOutcome | None) -> bool:
    """Whether the invocation proves that the function does its work, its table included."""
    return isinstance(invocation, Answered) and (invocation.status, invocation.code) in _WORKS
