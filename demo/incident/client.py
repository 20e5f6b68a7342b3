"""A client that plays without a pause, and so sees what a release does to players."""

import itertools
import json
import socket
import threading
import time
from types import TracebackType
from typing import Any, Self

import urllib3
from urllib3.connection import HTTPConnection

TIMEOUT_SECONDS = 30
_IP_BIND_ADDRESS_NO_PORT = 24  # Linux's; Python has the name since 3.12
PAUSE_SECONDS = 0.02
ATTEMPTS = 3
ROOMS_OF_AN_ADDRESS = 100
"""Then the next friends play, from another address: the API lets each try 200 codes a day."""


class PlayingClient:
    """Creates, reads, joins and leaves rooms, one request after the other, until the block ends.

    ``answered`` counts responses with status 200; ``retried`` the 503 responses with Retry-After,
    as a slow machine causes them. ``failures`` describes every other status and missing response.
    """

    def __init__(self, url: str) -> None:
        self.answered = 0
        self.retried = 0
        self.failures: list[str] = []
        self._url = url
        self._http = _from_address(0)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._play, name="player")

    def __enter__(self) -> Self:
        """Start playing."""
        self._thread.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Finish the current request and stop."""
        self._end.set()
        self._thread.join()
        self._http.clear()

    @property
    def requests(self) -> int:
        """The number of requests that were sent."""
        return self.answered + self.retried + len(self.failures)

    def _play(self) -> None:
        for played in itertools.count():
            if self._end.is_set():
                return
            if played % ROOMS_OF_AN_ADDRESS == 0:
                self._http.clear()
                self._http = _from_address(played // ROOMS_OF_AN_ADDRESS)
            created = self._send("POST", "/rooms", {"hostName": "ひま"})
            if created is None:
                continue
            room = f"/rooms/{created['roomId']}"
            self._send("GET", room)
            joined = self._send("POST", f"{room}/join", {"playerName": "ごばく"})
            for seat in (created, joined):
                if seat:
                    token = {"authorization": f"Bearer {seat['playerToken']}"}
                    self._send("DELETE", f"{room}/leave", headers=token)

    def _send(
        self,
        method: str,
        path: str,
        body: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Any:
        time.sleep(PAUSE_SECONDS)
        for attempt in range(ATTEMPTS):
            try:
                answer = self._http.request(
                    method,
                    self._url + path,
                    body=json.dumps(body).encode() if body else None,
                    headers={"content-type": "application/json", **(headers or {})},
                )
            except urllib3.exceptions.HTTPError as error:
                self.failures.append(f"{method} {path}: {type(error).__name__}")
                return None
            if answer.status == 200:
                self.answered += 1
                return answer.json()
            if answer.status != 503 or attempt == ATTEMPTS - 1:
                break
            self.retried += 1
            time.sleep(float(answer.headers["Retry-After"]))
        self.failures.append(f"{method} {path}: {answer.status} {answer.data[:200]!r}")
        return None


def _from_address(number: int) -> urllib3.PoolManager:
    """Send requests from one of this machine's own addresses."""
    address = f"127.0.0.{1 + number % 250}"
    # The port is chosen when it connects. One that is bound before may be what a server beside it
    # was about to take, and DynamoDB Local then waits for ever.
    no_port = (socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
    return urllib3.PoolManager(
        retries=False,
        timeout=TIMEOUT_SECONDS,
        source_address=(address, 0),
        socket_options=[*HTTPConnection.default_socket_options, no_port],
    )
