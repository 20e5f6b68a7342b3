"""The clients ask for what they say, and tell what they saw, whatever the server does."""

import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from werkzeug.wrappers import Request, Response

from benchmarks.load import servers
from benchmarks.load.client import Seen, run_clients
from benchmarks.load.peer import ANSWER
from local.addresses import own_url
from local.gateway import reserve_port
from local.http_server import serving_wsgi
from tests.support.cdk_context import ROOT

CODE = msgspec.json.decode(ANSWER)["roomId"]


class Server:
    """Answers as the peer does, and notes who asked for what."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: Counter[str] = Counter()
        self.addresses: set[str | None] = set()
        self.at_once = self.most_at_once = 0
        self.status = 200
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> Response:
        with self._lock:
            self.asked[f"{request.method} {request.path}"] += 1
            self.addresses.add(request.remote_addr)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if request.headers.get("if-none-match") == '"1"':
                return Response(status=304)
            return Response(ANSWER, self.status, {"etag": '"1"'})
        finally:
            with self._lock:
                self.at_once -= 1


@contextmanager
def served(server: Server) -> Iterator[Server]:
    listener = reserve_port(0)
    server.url = own_url(listener)
    with serving_wsgi(Request.application(server), listener=listener, name="peer"):
        yield server
    listener.close()


@pytest.fixture
def server() -> Iterator[Server]:
    with served(Server()) as server:
        yield server


def test_looking_is_a_whole_room_and_then_whether_it_has_changed(server: Server) -> None:
    seen = run_clients(server.url, "look", clients=2, seconds=0.1)

    assert server.asked == {"POST /rooms": 1, f"GET /rooms/{CODE}": len(seen.milliseconds)}
    assert seen.outcomes["200"] == seen.outcomes["304"] > 0


def test_an_evening_is_played_to_its_end(server: Server) -> None:
    seen = run_clients(server.url, "evening", clients=2, seconds=0.1)

    evenings = server.asked.pop("POST /rooms") - 1  # with that which looking would look at
    assert evenings > 1
    assert server.asked == {
        f"POST /rooms/{CODE}/join": evenings,
        f"GET /rooms/{CODE}": evenings,
        f"DELETE /rooms/{CODE}/leave": 2 * evenings,
    }
    assert seen.outcomes == {"200": len(seen.milliseconds)} == {"200": 5 * evenings}
    assert len(server.addresses) == evenings + 1


def test_each_client_has_one_request_at_a_time(server: Server) -> None:
    seen = run_clients(server.url, "look", clients=8, seconds=0.2)

    assert 1 <= server.most_at_once <= 8
    assert len(server.addresses) == 9
    assert seen.seconds >= 0.2
    assert max(seen.milliseconds) < seen.seconds * 1000
    assert seen.cpu_ms > 0


def test_a_refusal_is_counted_by_its_status(server: Server) -> None:
    server.status = 429

    seen = run_clients(server.url, "evening", clients=1, seconds=0.05)

    assert seen.outcomes == {"429": len(seen.milliseconds)}


def test_no_answer_is_counted_by_the_error() -> None:
    made = Response(ANSWER)
    listener = reserve_port(0)
    with serving_wsgi(made, listener=listener, name="peer"):
        url = own_url(listener)
        ended = threading.Timer(0.2, listener.shutdown, [socket.SHUT_RDWR])
        ended.start()
        seen = run_clients(url, "evening", clients=2, seconds=0.5)
        ended.join()
    listener.close()

    assert seen.outcomes["200"] == len(seen.milliseconds)
    assert seen.outcomes["ConnectionRefusedError"] > 0


@pytest.mark.proof
def test_the_peer_answers_every_request(tmp_path: Path) -> None:
    with servers.peer(tmp_path) as peer:
        before = peer.cpu_ms()[servers.EDGE]
        command = [sys.executable, "-m", "benchmarks.load.client", peer.url, "evening", "4", "0.5"]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
        seen = msgspec.json.decode(done.stdout, type=Seen)

        assert seen.outcomes == {"200": len(seen.milliseconds)}
        assert peer.cpu_ms()[servers.EDGE] > before
