"""A container registry on this machine: Debian's docker-registry, run as a process."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import urllib3

from imagecheck.errors import FailedError

START_TIMEOUT_SECONDS = 60


class DockerRegistryError(FailedError):
    """The registry is not installed or does not start."""


@contextmanager
def running_registry(folder: Path, auth: Mapping[str, Any] | None = None) -> Iterator[str]:
    """Run a registry that keeps its blobs in ``folder`` and yield its HOST:PORT once it is ready.

    It speaks plain HTTP. ``auth`` is the part of that name of its configuration; without it,
    everybody may read, push and delete. Raises DockerRegistryError.
    https://distribution.github.io/distribution/about/configuration/#auth
    """
    program = shutil.which("docker-registry")
    if program is None:
        raise DockerRegistryError(
            "docker-registry is not installed", hint="apt-get install docker-registry"
        )
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "version": "0.1",
        "log": {"level": "info", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(folder / "storage")},
            "delete": {"enabled": True},
        },
        # The system chooses the port, and the log says which.
        "http": {"addr": "127.0.0.1:0", "secret": "local"},
        **({"auth": auth} if auth else {}),
    }
    (folder / "config.yml").write_text(json.dumps(config))
    log = folder / "log.txt"
    with log.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603  (the installed program, and our own paths)
            [program, "serve", str(folder / "config.yml")],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        host = _wait_for_host(process, log)
        urllib3.request("GET", f"http://{host}/v2/", timeout=START_TIMEOUT_SECONDS, retries=False)
        yield host
    finally:
        process.kill()
        process.wait()


def _wait_for_host(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        if match := re.search(r"listening on (127\.0\.0\.1:[0-9]+)\W", log.read_text()):
            return match[1]
        if process.poll() is not None:
            raise DockerRegistryError(f"docker-registry ended:\n{log.read_text()}")
        time.sleep(0.02)
    raise DockerRegistryError(f"docker-registry does not listen:\n{log.read_text()}")
