"""What each operation costs: requests to the table, their capacity, and the function's time.

The function's own code runs under AWS's runtime client, with this machine's Python. Its table is
DynamoDB Local, without TLS.
"""

from __future__ import annotations

import itertools
import json
import secrets
import statistics
import time
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from benchmarks.cpu_time import cpu_ms
from benchmarks.scale.capacity_proxy import capacity_proxy
from benchmarks.scale.capacity_rule import item_bytes, units
from benchmarks.scale.stage import stage
from chaos.environment import TABLE
from chaos.trial import make_table
from contract.event import HttpApiRequest, http_api_event
from lambda_runtime.dynamodb_local import dynamodb_local
from lambda_runtime.runtime_api import FunctionError
from lambda_runtime.runtime_client import RuntimeClient
from lambda_runtime.variables import lambda_variables
from lambda_src.rooms.headers import DISTRIBUTION_KEY, ROOM_CREATED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.scale.capacity_proxy import TableRequest

    _Take = Callable[[], tuple[TableRequest, ...]]

_SOURCE: Final = Path("lambda_src").absolute()
_HANDLER: Final = "rooms.main.handler"
_ARN: Final = "arn:aws:lambda:us-east-1:000000000000:function:rooms"
_KEY: Final = "the key of a distribution on this machine"
_SEATS: Final = 5
_TIMEOUT_S: Final = 60


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of request, as the function answers it.

    Units are those of AWS's rules; ``told`` are DynamoDB Local's own, None where a request has an
    error. Times are medians of a warm process, for one request, in milliseconds on this machine.
    """

    name: str
    status: int
    actions: tuple[str, ...]
    read_units: float
    write_units: float
    told: tuple[float | None, ...]
    wall_ms: float
    cpu_ms: float
    log_bytes: int
    answer_bytes: int


class Operations(msgspec.Struct, frozen=True, kw_only=True):
    """All of them, by what happens. ``start_ms`` is a start by the clock, ``start_cpu_ms`` its CPU.

    Bytes are those of a full room's item in the table: with short names, and with the longest.
    """

    by_name: dict[str, Operation]
    start_ms: float
    start_cpu_ms: float
    room_bytes: int
    largest_room_bytes: int


def measure(rounds: int = 12, repeats: int = 8) -> Operations:
    """Play all operations, first through a proxy that counts, then without it against the clock."""
    with dynamodb_local() as table_url:
        make_table(table_url)
        with capacity_proxy(table_url) as proxy, _function(proxy.url) as function:
            counted = _count(function, proxy.take)
            sizes = [_full_room_bytes(function, proxy.take, name) for name in ("たろう", "漢" * 20)]
        with _function(table_url) as function:
            times = _time(function, rounds, repeats)
            starts = (function.start_ms, function.start_cpu_ms)
    by_name = {
        name: msgspec.structs.replace(found, wall_ms=times[name][0], cpu_ms=times[name][1])
        for name, found in counted.items()
    }
    return Operations(
        by_name=by_name,
        start_ms=starts[0],
        start_cpu_ms=starts[1],
        room_bytes=sizes[0],
        largest_room_bytes=sizes[1],
    )


class _Function:
    """A process of the runtime client with the rooms' code."""

    def __init__(self, table_url: str) -> None:
        self._lines: list[str] = []
        self._client = RuntimeClient(
            _HANDLER,
            task_root=_SOURCE,
            environment={
                **lambda_variables(
                    name="rooms",
                    version="1",
                    memory_mb=stage().memory_mb,
                    region="us-east-1",
                    log_group="/aws/lambda/rooms",
                    log_format="JSON",
                    log_level="INFO",
                    endpoint_url=table_url,
                ),
                "ROOMS_TABLE": TABLE,
                "DISTRIBUTION_KEYS": _KEY,
                "ONLY_THROUGH_PAGE": "true",
                "TZ": ":UTC",
                "_HANDLER": _HANDLER,
            },
            memory_mb=stage().memory_mb,
            log=self._lines.append,
        )
        before = _children()
        begun = time.perf_counter()
        if error := self._client.start(_TIMEOUT_S):
            raise RuntimeError(f"the function does not start: {error}")
        self.start_ms = (time.perf_counter() - begun) * 1000
        (self._pid,) = {pid for pid in _children() - before if "awslambdaric" in _command(pid)}
        self.start_cpu_ms = self.cpu_ms()

    def ask(self, event: dict[str, Any]) -> tuple[int, dict[str, str], Any, int]:
        """Return status, headers, body, and the length of the body."""
        payload = self._client.invoke(
            json.dumps(event).encode(),
            timeout=_TIMEOUT_S,
            function_arn=_ARN,
            request_id=str(uuid.uuid4()),
        )
        if isinstance(payload, FunctionError):
            raise RuntimeError(f"the function failed: {payload}")  # noqa: TRY004  (no type of ours)
        answer = json.loads(payload)
        body = answer.get("body") or ""
        found = json.loads(body) if body else None
        return answer["statusCode"], answer.get("headers", {}), found, len(body.encode())

    def cpu_ms(self) -> float:
        """Return its CPU time until now."""
        return cpu_ms(self._pid)

    def take_log_bytes(self) -> int:
        """Return what it has logged since the last call, in bytes."""
        taken = sum(len(line.encode()) + 1 for line in self._lines)
        self._lines.clear()
        return taken

    def close(self) -> None:
        """End it."""
        self._client.close()


@contextmanager
def _function(table_url: str) -> Iterator[_Function]:
    function = _Function(table_url)
    try:
        yield function
    finally:
        function.close()


class _Room:
    """A room on its way through an evening, as the page's players ask for it."""

    def __init__(self, function: _Function, name: str = "たろう") -> None:
        self._function = function
        self._name = name
        self.address = ""
        self.code = ""
        self.tokens: list[str] = []
        self.etag = ""
        self.created_at = 0

    def create(self) -> Answer:
        token = secrets.token_urlsafe(32)
        answer = self._ask("POST /rooms", {"hostName": self._name}, token)
        if answer.status == 200:
            self.tokens = [token]
            self.code = answer.body["roomId"]
            self.created_at = answer.body["room"]["createdAt"]
        return answer

    def join(self) -> Answer:
        token = secrets.token_urlsafe(32)
        answer = self._ask("POST /rooms/{roomId}/join", {"playerName": self._name}, token)
        if answer.status == 200:
            self.tokens.append(token)
        return answer

    def get(self, *, etag: str = "") -> Answer:
        answer = self._ask("GET /rooms/{roomId}", headers={"if-none-match": etag} if etag else {})
        self.etag = answer.headers.get("etag", "")
        return answer

    def get_nothing(self) -> Answer:
        return self._ask("GET /rooms/{roomId}", code="ZZZZZZ", headers={ROOM_CREATED: "0"})

    def leave(self) -> Answer:
        return self._ask("DELETE /rooms/{roomId}/leave", token=self.tokens.pop())

    def _ask(
        self,
        route: str,
        body: dict[str, str] | None = None,
        token: str = "",
        *,
        code: str = "",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        method, _, path = route.partition(" ")
        code = code or self.code
        sent = {
            "content-type": "application/json",
            "x-forwarded-for": self.address,
            DISTRIBUTION_KEY: _KEY,
            **({"authorization": f"Bearer {token}"} if token else {}),
            **({ROOM_CREATED: str(self.created_at)} if method == "GET" else {}),
            **(headers or {}),
        }
        event = http_api_event(
            HttpApiRequest(
                route_key=route,
                method=method,
                path=path.replace("{roomId}", code),
                headers=sent,
                path_parameters={"roomId": code} if "{roomId}" in path else {},
                body=json.dumps(body).encode() if body else b"",
                source_ip="192.0.2.1",
                request_id="AAAAAAAAAAAAAAA=",
                api_id="api",
                account_id="000000000000",
                domain_name="api.execute-api.us-east-1.amazonaws.com",
            )
        )
        return Answer(*self._function.ask(event))


class Answer(msgspec.Struct, frozen=True):
    """An answer of the function."""

    status: int
    headers: dict[str, str]
    body: Any
    length: int


# What an evening consists of, in an order in which one leads to the next. "new client" is one that
# the environment has not met today, so that it reads how many codes the client has tried.
STEPS: Final = (
    "create, new client",
    "create",
    "join",
    "join, full",
    "get, new client",
    "get",
    "get, not modified",
    "no such room",
    "leave",
    "last leave",
)
"""The names of the operations."""


def _step(name: str, room: _Room, new: Iterator[str]) -> Iterator[Answer]:
    """Do one operation; what has to be done before it is not part of it."""
    match name:
        case "create, new client":
            room.address = next(new)
            yield room.create()
        case "get, new client":
            room.address = next(new)
            yield room.get()
        case "create":
            yield room.create()
        case "get":
            yield room.get()
        case "get, not modified":
            yield room.get(etag=room.etag)
        case "join":
            while len(room.tokens) < _SEATS:
                yield room.join()
        case "join, full":
            yield room.join()
        case "no such room":
            yield room.get_nothing()
        case "leave":
            while len(room.tokens) > 1:
                yield room.leave()
        case "last leave":
            yield room.leave()


def _addresses() -> Iterator[str]:
    return (f"198.51.{a}.{b}" for a, b in itertools.product(range(256), range(256)))


def _count(function: _Function, take: _Take) -> dict[str, Operation]:
    room, new = _Room(function), _addresses()
    found: dict[str, Operation] = {}
    for name in STEPS:
        take()
        function.take_log_bytes()
        answers, passed = [], []
        for answer in _step(name, room, new):
            answers.append(answer)
            passed.append(take())
        time.sleep(0.05)  # Its log comes through a pipe.
        found[name] = _operation(name, answers, passed, function.take_log_bytes())
    return found


def _full_room_bytes(function: _Function, take: _Take, name: str) -> int:
    room = _Room(function, name)
    room.create()
    while len(room.tokens) < _SEATS:
        room.join()
    return max(item_bytes(request.item) for request in take() if request.item)


def _operation(
    name: str,
    answers: Sequence[Answer],
    passed: Sequence[Sequence[TableRequest]],
    log_bytes: int,
) -> Operation:
    # The last is the dearest: a room with more players is larger.
    requests = passed[-1]
    reads = [units(request) for request in requests if request.action == "GetItem"]
    writes = [units(request) for request in requests if request.action != "GetItem"]
    return Operation(
        name=name,
        status=answers[-1].status,
        actions=tuple(request.action for request in requests),
        read_units=sum(reads),
        write_units=sum(writes),
        told=tuple(request.told for request in requests),
        wall_ms=0,
        cpu_ms=0,
        log_bytes=round(log_bytes / len(answers)),
        answer_bytes=answers[-1].length,
    )


def _time(function: _Function, rounds: int, repeats: int) -> dict[str, tuple[float, float]]:
    """Return wall and CPU time of each operation: medians of rounds, each over some rooms."""
    walls: dict[str, list[float]] = {name: [] for name in STEPS}
    cpus: dict[str, list[float]] = {name: [] for name in STEPS}
    new = _addresses()
    for turn in range(rounds + 1):
        rooms = [_Room(function) for _ in range(repeats)]
        for name in STEPS:
            begun, cpu, count = time.perf_counter(), function.cpu_ms(), 0
            for room in rooms:
                count += sum(1 for _ in _step(name, room, new))
            if turn:  # The first warms up both processes.
                walls[name].append((time.perf_counter() - begun) * 1000 / count)
                cpus[name].append((function.cpu_ms() - cpu) / count)
    return {name: (statistics.median(walls[name]), statistics.median(cpus[name])) for name in STEPS}


def _children() -> set[int]:
    found: set[int] = set()
    for task in Path("/proc/self/task").iterdir():
        found |= {int(pid) for pid in (task / "children").read_text(encoding="ascii").split()}
    return found


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace")
