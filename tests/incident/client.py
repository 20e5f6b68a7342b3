"""A player who never stops: what happens to them is what a release does to players."""

import json
import threading
import time
from types import TracebackType
from typing import Any, Self

import urllib3

TIMEOUT_SECONDS = 30
PAUSE_SECONDS = 0.02
ATTEMPTS = 3


class Player:
    """Opens rooms, looks, joins and leaves, one request after the other, until the block ends.

    ``answered`` counts what went through; ``asked_again`` what the API asked for once more, as it
    does while a machine is too slow for it (503 with Retry-After), and then went through.
    ``failures``, in words, are what no player should get: any other status, or no answer at all.
    """

    def __init__(self, url: str) -> None:
        self.answered = 0
        self.asked_again = 0
        self.failures: list[str] = []
        self._url = url
        self._http = urllib3.PoolManager(retries=False, timeout=TIMEOUT_SECONDS)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._play, name="player")

    def __enter__(self) -> Self:
        """Begin to play."""
        self._thread.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Finish the request that is under way."""
        self._end.set()
        self._thread.join()
        self._http.clear()

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return self.answered + self.asked_again + len(self.failures)

    def _play(self) -> None:
        while not self._end.is_set():
            created = self._ask("POST", "/rooms", {"hostName": "ひま"})
            if created is None:
                continue
            room = f"/rooms/{created['roomId']}"
            self._ask("GET", room)
            joined = self._ask("POST", f"{room}/join", {"playerName": "ごばく"})
            for seat in (created, joined):
                if seat:
                    token = {"authorization": f"Bearer {seat['playerToken']}"}
                    self._ask("DELETE", f"{room}/leave", headers=token)

    def _ask(
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
            self.asked_again += 1
            time.sleep(float(answer.headers["Retry-After"]))
        self.failures.append(f"{method} {path}: {answer.status} {answer.data[:200]!r}")
        return None
