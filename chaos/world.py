"""Everything that stories happen in: environments, the clock, the record of what was said."""

from __future__ import annotations

import queue
import random
import re
import threading
import time
import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from chaos import documented
from chaos.environment import Environment
from chaos.history import Operation, room_facts
from chaos.model import Kind
from chaos.proxy import Injection
from contract.event import contract_event, parse_response
from contract.run import ContractRequest, NoResponseError
from lambda_runtime.runtime_api import FunctionError

if TYPE_CHECKING:
    from pathlib import Path

    from chaos.faults import Fault
    from contract.run import ContractResponse

_ROUTES: Final = {
    Kind.CREATE: "POST /rooms",
    Kind.GET: "GET /rooms/{roomId}",
    Kind.JOIN: "POST /rooms/{roomId}/join",
    Kind.LEAVE: "DELETE /rooms/{roomId}/leave",
}
_NAME_FIELDS: Final = {Kind.CREATE: "hostName", Kind.JOIN: "playerName"}
_NOT_MODIFIED: Final = 304
_WORD: Final = re.compile(r"[A-Za-z0-9_-]{32,}")
_NAME: Final = re.compile("ひま|\\\\u3072")


class StoppedError(Exception):
    """Somebody has pressed Ctrl-C."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What somebody asks for; ``etag`` is what they have seen of the room."""

    story: int
    kind: Kind
    name: str
    token: str | None
    room: str
    codes: tuple[str, ...] = ()
    etag: str = ""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What came back. The operation is complete when ``injection`` is quiet."""

    operation: Operation
    injection: Injection
    token: str | None
    etag: str


class World:
    """Runs operations in the first environment that is free, and watches what is said.

    Use it as a context manager.
    """

    def __init__(self, *, table: tuple[str, int], folder: Path, earlier: int, current: int) -> None:
        """Have environments of the earlier and of the current code."""
        self._table = table
        self._folder = folder
        self._counts = (earlier, current)
        self._resources = ExitStack()
        # In turn, so that the next operation is mostly another environment's.
        self._free: queue.SimpleQueue[Environment] = queue.SimpleQueue()
        self._epoch = time.monotonic()
        self.stopped = threading.Event()
        self.log_lines = 0
        self._log_words: set[str] = set()
        self._tokens: set[str] = set()
        self._names_in_log: list[str] = []

    def __enter__(self) -> World:
        """Prepare the environments; each starts its process when it is first used."""
        for is_earlier, count in zip((True, False), self._counts, strict=True):
            for number in range(count):
                folder = self._folder / f"{'earlier' if is_earlier else 'current'}-{number}"
                folder.mkdir(parents=True)
                environment = Environment(
                    table=self._table, folder=folder, log=self._read_log, is_earlier=is_earlier
                )
                self._resources.callback(environment.close)
                self._free.put(environment)
        return self

    def __exit__(self, *_: object) -> None:
        """End all processes."""
        self._resources.close()

    @property
    def leaks(self) -> list[str]:
        """What stands in the function's log and may not: names, and tokens without their rest."""
        return [*self._names_in_log, *(token[:8] for token in self._tokens & self._log_words)]

    def ask(
        self,
        request: Request,
        *,
        fault: Fault,
        hits: frozenset[int] | None,
        seed: int,
        of_writes: bool = False,
    ) -> Reply:
        """Send a request under a fault. Raises StoppedError."""
        if self.stopped.is_set():
            raise StoppedError
        event = contract_event(_contract_request(request), request_id=str(uuid.uuid4()))
        environment = self._free.get()
        try:
            if self.stopped.is_set():
                raise StoppedError
            environment.start()
            injection = Injection(fault, hits, random.Random(seed), self._epoch, of_writes)
            called = time.monotonic() - self._epoch
            outcome = environment.invoke(event, injection)
            answered = time.monotonic() - self._epoch
            if self.stopped.is_set():
                raise StoppedError
        finally:
            self._free.put(environment)
        answer, problem = _read(_ROUTES[request.kind], outcome, fault)
        body = answer.body if answer else None
        done: dict[str, Any] = body if isinstance(body, dict) else {}
        token = done.get("playerToken") or request.token
        if token:
            self._tokens.add(token)
        room = done if request.kind is Kind.GET and "players" in done else done.get("room")
        operation = Operation(
            story=request.story,
            person=request.name,
            kind=request.kind,
            room=done.get("roomId", "") if request.kind is Kind.CREATE else request.room,
            codes=request.codes,
            is_anonymous=request.token is None and request.kind is not Kind.GET,
            called=called,
            answered=answered,
            status=answer.status if answer else 0,
            code=done.get("error", {}).get("code", "OK") if answer else "",
            **room_facts(room),
            fault=fault.name,
            requests=injection.requests,
            writes=injection.writes,
            met=max(injection.met, int(fault.meets_all)),
            is_earlier=environment.is_earlier,
            problem=problem,
        )
        etag = answer.headers.get("etag", "") if answer else ""
        return Reply(operation=operation, injection=injection, token=token, etag=etag)

    def _read_log(self, line: str) -> None:
        self.log_lines += 1
        self._log_words.update(_WORD.findall(line))
        if _NAME.search(line):
            self._names_in_log.append(line)


def _contract_request(request: Request) -> ContractRequest:
    headers = {}
    if request.token is not None and request.kind is not Kind.GET:
        headers["authorization"] = f"Bearer {request.token}"
    if request.etag:
        headers["if-none-match"] = request.etag
    field = _NAME_FIELDS.get(request.kind)
    return ContractRequest(
        _ROUTES[request.kind],
        "" if request.kind is Kind.CREATE else request.room,
        {field: request.name} if field else None,
        headers,
    )


def _read(
    route: str, outcome: bytes | FunctionError, fault: Fault
) -> tuple[ContractResponse | None, str]:
    """Return the answer, and what is wrong with it."""
    if isinstance(outcome, FunctionError):
        return None, "" if fault.ends_process else f"the function failed: {outcome.type}"
    try:
        answer = parse_response(outcome)
    except NoResponseError as error:
        return None, str(error)
    if answer.status == 500 and not fault.is_denial:
        return answer, f"{route} answers 500"
    return answer, documented.problem(route, answer)
