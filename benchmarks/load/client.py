"""Clients in a closed loop: each asks again as soon as it is answered.

``python -m benchmarks.load.client URL OPERATION CLIENTS SECONDS`` prints what they saw, as JSON.
"""

from __future__ import annotations

import http.client
import itertools
import json
import random
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_TIMEOUT_S: Final = 60
_FIRST_ADDRESS: Final = IPv4Address("127.16.0.0")
_ADDRESSES: Final = 2**22


class Seen(msgspec.Struct, frozen=True):
    """What clients saw: seconds, milliseconds of each answer, and how often each outcome.

    An outcome is a status, or the name of the error where there was no answer. ``cpu_ms`` is the
    CPU time of the clients themselves.
    """

    seconds: float
    milliseconds: list[float]
    outcomes: dict[str, int]
    cpu_ms: float


@dataclass(frozen=True)
class Tally:
    """What one client saw."""

    milliseconds: list[float] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)


class Client:
    """A client with an address of its own: the deployed system limits what one address may ask.

    Every address of 127.0.0.0/8 is this machine, on Linux.
    """

    def __init__(self, url: str, address: IPv4Address, tally: Tally) -> None:
        """Begin without a connection. It is kept for as long as the server keeps it."""
        place = urlsplit(url)
        assert place.hostname
        self._connection = http.client.HTTPConnection(
            place.hostname, place.port, timeout=_TIMEOUT_S, source_address=(str(address), 0)
        )
        self._tally = tally

    def ask(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> tuple[Mapping[str, str], Any]:
        """Send a request. Return the headers and the JSON of the answer; None without one."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        data = None
        if body is not None:
            sent["content-type"] = "application/json"
            data = json.dumps(body).encode()
        began = time.perf_counter()
        try:
            self._connection.request(method, path, data, sent)
            answer = self._connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            self._tally.outcomes[type(error).__name__] += 1
            return {}, None
        self._tally.milliseconds.append((time.perf_counter() - began) * 1000)
        self._tally.outcomes[str(answer.status)] += 1
        return dict(answer.headers), json.loads(text) if text else None

    def close(self) -> None:
        """End the connection."""
        self._connection.close()


def look(connect: Callable[[], Client], is_over: Callable[[], bool], room: Any) -> None:
    """Look at one room again and again, as pages do: all of it, then whether it has changed."""
    client = connect()
    path, created = f"/rooms/{room['roomId']}", str(room["createdAt"])
    while not is_over():
        headers, _ = client.ask("GET", path, x_room_created=created)
        etag = headers.get("etag", "")
        client.ask("GET", path, x_room_created=created, if_none_match=etag)
    client.close()


def evening(connect: Callable[[], Client], is_over: Callable[[], bool], _room: Any) -> None:
    """Create a room, join it, look at it, and leave it; each evening from another address."""
    while not is_over():
        client = connect()
        _, host = client.ask("POST", "/rooms", {"hostName": "ひま"})
        if host and "room" in host:
            path, created = f"/rooms/{host['roomId']}", str(host["room"]["createdAt"])
            _, guest = client.ask("POST", f"{path}/join", {"playerName": "二"})
            client.ask("GET", path, x_room_created=created)
            for player in (guest, host):
                if player and "playerToken" in player:
                    token = f"Bearer {player['playerToken']}"
                    client.ask("DELETE", f"{path}/leave", authorization=token)
        client.close()


OPERATIONS: Final = {"look": look, "evening": evening}


def run_clients(url: str, operation: str, clients: int, seconds: float) -> Seen:
    """Let clients ask for a time. What they have begun by its end is done to its end."""
    addresses = _addresses()
    first = Client(url, next(addresses), Tally())
    _, made = first.ask("POST", "/rooms", {"hostName": "ひま"})
    first.close()
    tallies = [Tally() for _ in range(clients)]
    begin = threading.Barrier(clients + 1)

    def run(tally: Tally) -> None:
        begin.wait()
        end = time.monotonic() + seconds
        OPERATIONS[operation](
            lambda: Client(url, next(addresses), tally),
            lambda: time.monotonic() > end,
            made["room"],
        )

    with ThreadPoolExecutor(clients) as pool:
        running = [pool.submit(run, tally) for tally in tallies]
        begin.wait()
        began, cpu = time.monotonic(), time.process_time()
        for each in running:
            each.result()
        lasted = time.monotonic() - began
    return Seen(
        seconds=lasted,
        milliseconds=[ms for tally in tallies for ms in tally.milliseconds],
        outcomes=dict(sum((tally.outcomes for tally in tallies), Counter[str]())),
        cpu_ms=(time.process_time() - cpu) * 1000,
    )


def _addresses() -> Iterator[IPv4Address]:
    """Yield one after the other, other ones each time: a limit on an address lasts for a day."""
    start = random.randrange(_ADDRESSES)
    return (_FIRST_ADDRESS + number % _ADDRESSES for number in itertools.count(start))


if __name__ == "__main__":
    url, operation, clients, seconds = sys.argv[1:]
    seen = run_clients(url, operation, int(clients), float(seconds))
    sys.stdout.buffer.write(msgspec.json.encode(seen))
