"""One execution environment: a cold start, then warm calls."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from benchmarks.cold_start.catalogue import Runtime, Trust, command, task_root
from benchmarks.cpu_time import cpu_ms
from chaos.environment import TABLE
from imagecheck.errors import FailedError
from lambda_runtime.runtime_api import FunctionError, RuntimeApi
from lambda_runtime.variables import lambda_variables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.cold_start.catalogue import Peer
    from benchmarks.cold_start.installation import Installation
    from benchmarks.cold_start.tls_front import Authorities, TlsFront

_TIMEOUT_S: Final = 60
_ARN: Final = "arn:aws:lambda:ap-northeast-1:000000000000:function:rooms"
# A process goes on after its answer: its runtime client asks for the next event.
_SETTLES_S: Final = 0.02
_OK: Final = 200
_SHOWN_BYTES: Final = 4000


class Place(NamedTuple):
    """What all environments share."""

    installed: Installation
    front: TlsFront
    authorities: Authorities


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """What one environment took. Times are in milliseconds, memory in MiB.

    ``init`` is from the start of the process to its first question for an event. Requests are those
    to the table; of warm calls, time and requests are those of one, on average.
    """

    init_ms: float
    init_cpu_ms: float
    first_ms: float
    first_cpu_ms: float
    warm_ms: list[float]
    warm_cpu_ms: float
    init_mib: float
    first_mib: float
    peak_mib: float
    init_requests: int
    first_requests: int
    warm_requests: float

    @property
    def cold_ms(self) -> float:
        """From the start of the process to its first answer."""
        return self.init_ms + self.first_ms

    @property
    def cold_cpu_ms(self) -> float:
        """CPU time up to the first answer."""
        return self.init_cpu_ms + self.first_cpu_ms


class Environment(NamedTuple):
    """A process that waits for an event. ``init_ms`` is what it took until then."""

    peer: Peer
    pid: int
    api: RuntimeApi
    init_ms: float

    def invoke(self, event: Mapping[str, Any]) -> tuple[dict[str, Any], float]:
        """Return the answer to an event, and the milliseconds that it took.

        Raises:
            FailedError: there was none, or not the right one.

        """
        content = json.dumps(event).encode()
        asked = time.perf_counter()
        outcome = self.api.invoke(content, timeout=_TIMEOUT_S, function_arn=_ARN)
        took_ms = (time.perf_counter() - asked) * 1000
        if isinstance(outcome, FunctionError):
            raise FailedError(f"{self.peer.name}: {outcome}")
        answer: dict[str, Any] = json.loads(outcome)
        if answer.get("statusCode") != _OK:
            raise FailedError(f"{self.peer.name} answers {answer}")
        return answer, took_ms


@contextmanager
def environment(
    peer: Peer, place: Place, extra: Mapping[str, str] | None = None
) -> Iterator[Environment]:
    """Start a function, with ``extra`` variables, and yield it when it asks for its first event.

    Raises:
        FailedError: it does not start. What it has printed is in the message.

    """
    with tempfile.TemporaryFile() as log, RuntimeApi() as api:
        began = time.perf_counter()
        process = subprocess.Popen(
            command(peer, place.installed),
            cwd=task_root(peer, place.installed),
            env={
                **variables(peer, place),
                "AWS_LAMBDA_RUNTIME_API": api.address,
                **(extra or {}),
            },
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            error = api.wait_until_ready(_TIMEOUT_S)
            init_ms = (time.perf_counter() - began) * 1000
            if error is not None:
                log.seek(0)
                said = log.read()[-_SHOWN_BYTES:].decode("utf-8", "replace")
                raise FailedError(f"{peer.name} does not start: {error}\n{said}")
            yield Environment(peer, process.pid, api, init_ms)
        finally:
            process.kill()
            process.wait()


def measure(
    peer: Peer, place: Place, *, events: Iterator[Mapping[str, Any]], warm_calls: int
) -> Sample:
    """Start a function, have it create a room, and then some more.

    Raises:
        FailedError: it does not start, or creates no room.

    """
    front = place.front
    before = front.requests
    with environment(peer, place) as started:
        init_cpu_ms = _settled_cpu_ms(started.pid)
        init_requests = front.requests - before
        init_mib = _memory_mib(started.pid)["VmRSS"]
        _, first_ms = started.invoke(next(events))
        cold_cpu_ms = _settled_cpu_ms(started.pid)
        memory = _memory_mib(started.pid)
        cold_requests = front.requests - before
        warm_ms = [started.invoke(next(events))[1] for _ in range(warm_calls)]
        return Sample(
            init_ms=started.init_ms,
            init_cpu_ms=init_cpu_ms,
            first_ms=first_ms,
            first_cpu_ms=cold_cpu_ms - init_cpu_ms,
            warm_ms=warm_ms,
            warm_cpu_ms=(_settled_cpu_ms(started.pid) - cold_cpu_ms) / warm_calls,
            init_mib=init_mib,
            first_mib=memory["VmRSS"],
            peak_mib=memory["VmHWM"],
            init_requests=init_requests,
            first_requests=cold_requests - init_requests,
            warm_requests=(front.requests - before - cold_requests) / warm_calls,
        )


def variables(peer: Peer, place: Place) -> dict[str, str]:
    """Return the environment variables of a function."""
    found = {
        **lambda_variables(
            name="rooms",
            version="1",
            memory_mb=256,
            region="ap-northeast-1",
            log_group="/aws/lambda/rooms",
            log_format="JSON",
            log_level="INFO",
            endpoint_url=place.front.url,
        ),
        "LAMBDA_TASK_ROOT": str(task_root(peer, place.installed)),
        "LANG": "C.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "ROOMS_TABLE": TABLE,
        "TZ": ":UTC",
        "_HANDLER": peer.handler,
    }
    if peer.runtime is Runtime.NODE:
        return {**found, "NODE_EXTRA_CA_CERTS": str(place.authorities.own)}
    is_small = peer.trust is Trust.AMAZON
    bundle = place.authorities.amazon if is_small else place.authorities.all
    # Everything has been compiled.
    return {**found, "AWS_CA_BUNDLE": str(bundle), "PYTHONDONTWRITEBYTECODE": "1"}


def _settled_cpu_ms(pid: int) -> float:
    time.sleep(_SETTLES_S)
    return cpu_ms(pid)


def _memory_mib(pid: int) -> dict[str, float]:
    """Return what proc_pid_status(5) says of memory."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    lines = [line.split() for line in status.splitlines() if line.startswith("Vm")]
    return {name.rstrip(":"): int(kib) / 1024 for name, kib, _ in lines}
