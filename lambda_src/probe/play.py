"""The play: create, join, get, leave, leave; each answer is held against the contract.

Who plays decides how a request travels: over HTTPS (smoke), as an invocation of a version (the
pre-traffic hook), or under a Runtime API on this machine (boot).
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

HOST_NAME: Final = "probe"
GUEST_NAME: Final = "プローブ"

_CREATE: Final = "POST /rooms"
_GET: Final = "GET /rooms/{roomId}"
_JOIN: Final = "POST /rooms/{roomId}/join"
_LEAVE: Final = "DELETE /rooms/{roomId}/leave"

ROUTES: Final = (_CREATE, _GET, _JOIN, _LEAVE)
"""The route keys that are asked: all that there are."""

_ERROR_CODE: Final = re.compile(r"[A-Z_]{1,40}")
_OK, _NOT_MODIFIED, _NOT_FOUND = 200, 304, 404


@dataclass(frozen=True)
class Request:
    """What is asked, before it is put into HTTP or into an event."""

    route: str
    """A route key, such as ``GET /rooms/{roomId}``."""
    room_id: str = ""
    body: Mapping[str, str] | None = None
    """To be sent as JSON."""
    headers: Mapping[str, str] | None = None
    """With lower-case names."""

    @property
    def method(self) -> str:
        """The HTTP method."""
        return self.route.partition(" ")[0]

    @property
    def path(self) -> str:
        """The path, filled in."""
        return self.route.partition(" ")[2].replace("{roomId}", self.room_id)


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    """With lower-case names."""
    body: Any
    """The decoded JSON; None when there is none."""


@dataclass(frozen=True)
class Step:
    """A request that was answered as the contract wants."""

    name: str
    status: int
    milliseconds: float


class PlayError(Exception):
    """An answer is not as the contract wants, or none came.

    ``step`` is the one that failed; ``done`` are those before it.
    """

    def __init__(self, step: str, found: str, done: tuple[Step, ...] = ()) -> None:
        super().__init__(f"{step}: {found}")
        self.step = step
        self.found = found
        self.done = done


class NoAnswerError(Exception):
    """Raised by who carries a request when no answer comes; the message says why."""


Ask = Callable[[Request], Answer]
"""Carries a request to the function and brings the answer. Raises NoAnswerError."""


def play(ask: Ask, *, clock: Callable[[], float] = time.perf_counter) -> list[Step]:
    """Play, and leave no room behind; also when something is wrong, as far as that can be done.

    ``clock`` counts seconds.

    Raises:
        PlayError: the first answer that is wrong.

    """
    steps: list[Step] = []
    seats: list[tuple[str, str]] = []

    def asked(name: str, request: Request, status: int = _OK) -> Answer:
        started = clock()
        try:
            answer = ask(request)
        except NoAnswerError as error:
            raise PlayError(name, str(error), tuple(steps)) from None
        milliseconds = (clock() - started) * 1000
        with _judged(name, steps):
            _require(
                answer.status == status, f"status {answer.status}{_code(answer)}, wanted {status}"
            )
        steps.append(Step(name, answer.status, round(milliseconds, 1)))
        return answer

    try:
        created = asked("create", Request(_CREATE, body={"hostName": HOST_NAME}))
        with _judged("create", steps):
            room_id = _text(created.body, "roomId")
            seats.append((room_id, _text(created.body, "playerToken")))
            _require_players(created.body["room"], [HOST_NAME])

        # This one brings its token, so that the seat is known even if the answer never comes.
        guest = secrets.token_urlsafe()
        seats.append((room_id, guest))
        joined = asked("join", _join(room_id, guest))
        with _judged("join", steps):
            _require(joined.body["playerToken"] == guest, "the token is not the one that was sent")
            _require_players(joined.body["room"], [HOST_NAME, GUEST_NAME])

        got = asked("get", Request(_GET, room_id))
        with _judged("get", steps):
            _require(got.body == joined.body["room"], "the room is not the one that join answered")
            etag = got.headers.get("etag", "")
            _require(bool(etag), "there is no ETag")
        unchanged = Request(_GET, room_id, headers={"if-none-match": etag})
        asked("get unchanged", unchanged, _NOT_MODIFIED)

        left = asked("leave", _leave(*seats[0]))
        with _judged("leave", steps):
            _require_players(left.body["room"], [GUEST_NAME])
        seats.pop(0)
        left = asked("leave as the last", _leave(*seats[0]))
        with _judged("leave as the last", steps):
            _require(left.body["room"] is None, "the room is still there")
        seats.pop(0)
        asked("get what is gone", Request(_GET, room_id), _NOT_FOUND)
    finally:
        for seat in seats:
            _clean_up(ask, seat)
    return steps


def _join(room_id: str, token: str) -> Request:
    headers = {"authorization": f"Bearer {token}"}
    return Request(_JOIN, room_id, body={"playerName": GUEST_NAME}, headers=headers)


def _leave(room_id: str, token: str) -> Request:
    return Request(_LEAVE, room_id, headers={"authorization": f"Bearer {token}"})


def _clean_up(ask: Ask, seat: tuple[str, str]) -> None:
    """Leave, whatever comes of it: what went wrong before is what is reported."""
    try:
        ask(_leave(*seat))
    except NoAnswerError:
        return


@contextmanager
def _judged(name: str, steps: list[Step]) -> Iterator[None]:
    """Make a PlayError of an answer that lacks something or has it in another form."""
    try:
        yield
    except _WrongAnswerError as error:
        raise PlayError(name, str(error), tuple(steps)) from None
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        found = f"the answer has another form than the contract's ({type(error).__name__}: {error})"
        raise PlayError(name, found, tuple(steps)) from None


class _WrongAnswerError(Exception):
    pass


def _require(condition: bool, otherwise: str) -> None:
    if not condition:
        raise _WrongAnswerError(otherwise)


def _require_players(room: Any, names: list[str]) -> None:
    players = [player["name"] for player in room["players"]]
    _require(players == names, f"the room has {len(players)} players, wanted {len(names)}")
    _require(room["hostId"] == room["players"][0]["playerId"], "the host is not who came first")


def _text(body: Any, field: str) -> str:
    value = body[field]
    _require(isinstance(value, str) and bool(value), f"{field} is not a text")
    return str(value)


def _code(answer: Answer) -> str:
    """Give the error code of a refusal; its message is not ours to repeat."""
    try:
        code = answer.body["error"]["code"]
        return f" {code}" if _ERROR_CODE.fullmatch(code) else ""
    except (KeyError, TypeError):
        return ""
