"""The contract test: create, join, get, leave, leave; each answer is compared with the contract.

The caller decides how a request travels: over HTTPS (smoke), as an invocation of a version (the
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
"""The route keys that it calls: all of the API."""

_ERROR_CODE: Final = re.compile(r"[A-Z_]{1,40}")
_OK, _NOT_MODIFIED, _NOT_FOUND = 200, 304, 404


@dataclass(frozen=True)
class ContractRequest:
    """A request, before it becomes HTTP or an event."""

    route: str
    """A route key, such as ``GET /rooms/{roomId}``."""
    room_id: str = ""
    body: Mapping[str, str] | None = None
    """It is sent as JSON."""
    headers: Mapping[str, str] | None = None
    """Names are in lower case."""

    @property
    def method(self) -> str:
        """The HTTP method."""
        return self.route.partition(" ")[0]

    @property
    def path(self) -> str:
        """The path, filled in."""
        return self.route.partition(" ")[2].replace("{roomId}", self.room_id)


@dataclass(frozen=True)
class ContractResponse:
    """An answer of the API."""

    status: int
    headers: Mapping[str, str]
    """Names are in lower case."""
    body: Any
    """The decoded JSON; None when there is none."""


@dataclass(frozen=True)
class ContractStep:
    """A request whose answer met the contract."""

    name: str
    status: int
    milliseconds: float


class ContractTestError(Exception):
    """An answer breaks the contract, or none came.

    ``step`` is the one that failed; ``done`` are those before it.
    """

    def __init__(self, step: str, found: str, done: tuple[ContractStep, ...] = ()) -> None:
        super().__init__(f"{step}: {found}")
        self.step = step
        self.found = found
        self.done = done


class NoResponseError(Exception):
    """No answer came to a request; the message says why."""


Send = Callable[[ContractRequest], ContractResponse]
"""Sends a request to the function and returns its answer. Raises NoResponseError."""


def run_contract_test(
    send: Send, *, clock: Callable[[], float] = time.perf_counter
) -> list[ContractStep]:
    """Run the contract test and remove its room again, also after a failure where that is possible.

    ``clock`` counts seconds.

    Raises:
        ContractTestError: at the first answer that breaks the contract.

    """
    steps: list[ContractStep] = []
    seats: list[tuple[str, str]] = []

    def call(name: str, request: ContractRequest, status: int = _OK) -> ContractResponse:
        started = clock()
        try:
            answer = send(request)
        except NoResponseError as error:
            raise ContractTestError(name, str(error), tuple(steps)) from error
        milliseconds = (clock() - started) * 1000
        with _checked(name, steps):
            _require(
                answer.status == status, f"status {answer.status}{_code(answer)}, wanted {status}"
            )
        steps.append(ContractStep(name, answer.status, round(milliseconds, 1)))
        return answer

    try:
        created = call("create", ContractRequest(_CREATE, body={"hostName": HOST_NAME}))
        with _checked("create", steps):
            room_id = _text(created.body, "roomId")
            seats.append((room_id, _text(created.body, "playerToken")))
            _require_players(created.body["room"], [HOST_NAME])

        # The guest brings a token, so that it can leave even if the answer never comes.
        guest = secrets.token_urlsafe()
        seats.append((room_id, guest))
        joined = call("join", _join(room_id, guest))
        with _checked("join", steps):
            _require(joined.body["playerToken"] == guest, "the token is not the one that was sent")
            _require_players(joined.body["room"], [HOST_NAME, GUEST_NAME])

        got = call("get", ContractRequest(_GET, room_id))
        with _checked("get", steps):
            _require(got.body == joined.body["room"], "the room is not the one that join answered")
            etag = got.headers.get("etag", "")
            _require(bool(etag), "there is no ETag")
        unchanged = ContractRequest(_GET, room_id, headers={"if-none-match": etag})
        call("get unchanged", unchanged, _NOT_MODIFIED)

        left = call("leave", _leave(*seats[0]))
        with _checked("leave", steps):
            _require_players(left.body["room"], [GUEST_NAME])
        seats.pop(0)
        left = call("leave as the last", _leave(*seats[0]))
        with _checked("leave as the last", steps):
            _require(left.body["room"] is None, "the room is still there")
        seats.pop(0)
        call("get deleted room", ContractRequest(_GET, room_id), _NOT_FOUND)
    finally:
        for seat in seats:
            _clean_up(send, seat)
    return steps


def _join(room_id: str, token: str) -> ContractRequest:
    headers = {"authorization": f"Bearer {token}"}
    return ContractRequest(_JOIN, room_id, body={"playerName": GUEST_NAME}, headers=headers)


def _leave(room_id: str, token: str) -> ContractRequest:
    return ContractRequest(_LEAVE, room_id, headers={"authorization": f"Bearer {token}"})


def _clean_up(send: Send, seat: tuple[str, str]) -> None:
    """Leave, and ignore an error: the one before it is reported."""
    try:
        send(_leave(*seat))
    except NoResponseError:
        return


@contextmanager
def _checked(name: str, steps: list[ContractStep]) -> Iterator[None]:
    """Raise ContractTestError for an answer that lacks something or has another form."""
    try:
        yield
    except _WrongAnswerError as error:
        raise ContractTestError(name, str(error), tuple(steps)) from None
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        found = f"the answer has another form than the contract's ({type(error).__name__}: {error})"
        raise ContractTestError(name, found, tuple(steps)) from error


class _WrongAnswerError(Exception):
    pass


def _require(condition: bool, otherwise: str) -> None:
    if not condition:
        raise _WrongAnswerError(otherwise)


def _require_players(room: Any, names: list[str]) -> None:
    players = [player["name"] for player in room["players"]]
    _require(players == names, f"the room has {len(players)} players, wanted {len(names)}")
    _require(
        room["hostId"] == room["players"][0]["playerId"],
        "the host is not the player who joined first",
    )


def _text(body: Any, field: str) -> str:
    value = body[field]
    _require(isinstance(value, str) and bool(value), f"{field} is not a text")
    return str(value)


def _code(answer: ContractResponse) -> str:
    """Return the error code of a refusal, and not its message, which could hold anything."""
    try:
        code = answer.body["error"]["code"]
        return f" {code}" if _ERROR_CODE.fullmatch(code) else ""
    except (KeyError, TypeError):
        return ""
