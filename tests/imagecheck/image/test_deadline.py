"""A registry that sends a byte now and then ends when the time is over, wherever it drips."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from imagecheck.budget import Budget
from imagecheck.image.errors import ImageReadError
from imagecheck.image.files import FolderFiles, TarFiles
from imagecheck.image.http import HttpClient
from imagecheck.image.image_reader import ImageReader
from imagecheck.image.layer_cache import LayerCache
from imagecheck.image.open_source import open_source
from imagecheck.image.reference import parse_reference
from tests.support.errors import shows
from tests.support.imagecheck.http_server import Answer, Request, serving
from tests.support.imagecheck.images import File, layer_of, write_image
from tests.support.imagecheck.programs import HOST
from tests.support.imagecheck.reading import NoProgress

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"


@contextmanager
def dripping(at_once: bytes, drop: bytes) -> Iterator[str]:
    """Send something, and then one drop after the other, until the test is over."""
    is_over = threading.Event()
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        try:
            while True:
                connection, _ = server.accept()
                threading.Thread(target=drip, args=(connection,), daemon=True).start()
        except OSError:
            return

    def drip(connection: socket.socket) -> None:
        try:
            connection.recv(65536)
            connection.sendall(at_once)
            while not is_over.wait(0.01):
                connection.sendall(drop)
        except OSError:
            pass
        finally:
            connection.close()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.getsockname()[1]}"
    finally:
        is_over.set()
        server.close()


@pytest.mark.parametrize(
    ("at_once", "drop"),
    [(b"", b"H"), (b"HTTP/1.1 200 OK\r\n", b"x"), (HEAD, b"{")],
    ids=["status", "header", "body"],
)
def test_a_document_that_drips_is_not_waited_for(at_once: bytes, drop: bytes) -> None:
    with dripping(at_once, drop) as host:
        source = open_source(
            parse_reference(f"docker://{host}/rooms:v1"), Budget(seconds=0.5, hint="--timeout")
        )
        with (
            closing(source),
            pytest.raises(ImageReadError, check=shows("longer than 0.5 s\nhint: --timeout")),
        ):
            ImageReader(source, LayerCache(None), NoProgress()).read(HOST)


@pytest.mark.proof
def test_a_layer_that_drips_is_not_waited_for(tmp_path: Path) -> None:
    """The registry is a good one but for where it sends those who ask for the layer."""
    layer = layer_of(File("data", os.urandom(1_000_000)))
    image = write_image(tmp_path, [layer], architecture=HOST)
    head = HEAD.replace(b"1000000", str(layer.size).encode())

    with dripping(head + layer.blob[:1000], b"x") as elsewhere:

        def answer(request: Request) -> Answer:
            name = request.path.rpartition("/")[2]
            if name == layer.digest:
                return Answer(307, {"Location": f"http://{elsewhere}/"})
            return Answer(body=image.blob(image.digest if name == "v1" else name).read_bytes())

        with serving(answer) as server:
            budget = Budget(seconds=2)
            source = open_source(parse_reference(f"docker://{server.host}/rooms:v1"), budget)
            with closing(source), pytest.raises(ImageReadError, match="longer than 2 s"):
                ImageReader(source, LayerCache(None), NoProgress(), budget).read(HOST)


def test_attempts_end_when_the_time_is_over() -> None:
    slept: list[float] = []
    now = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        slept.append(seconds)
        now += seconds

    http = HttpClient(sleep, Budget(seconds=3, clock=lambda: now))
    with (
        closing(http),
        serving(lambda _: Answer(503)) as server,
        pytest.raises(ImageReadError, match="longer than 3 s"),
    ):
        http.send("GET", server.url, {})

    assert slept == [1, 2]


def test_a_local_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(ImageReadError, match="not a file"):
        FolderFiles(tmp_path).open("pipe")
    with pytest.raises(ImageReadError, match="not a file"):
        TarFiles(tmp_path / "pipe")
