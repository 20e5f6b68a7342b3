"""Measures how much the local system takes, and how long it takes for it."""

from __future__ import annotations

import math
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from benchmarks.document import BENCHMARKS, ROOT, machine, write_block, write_picture
from benchmarks.load.client import OPERATIONS, Seen
from benchmarks.load.servers import EDGE, FUNCTION, TABLE, Server, local_system, peer
from benchmarks.plots import bars

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

CLIENTS: Final = (1, 8, 64)
ROUNDS: Final = 3
SECONDS: Final = 2
WARM_UP_SECONDS: Final = 3
OURS: Final = "make run"
PEER: Final = "peer"
_CLIENT: Final = "clients"


class Case(NamedTuple):
    """What is measured in one turn."""

    operation: str
    clients: int
    server: str


class Turn(NamedTuple):
    """What one turn showed: requests a second, and milliseconds."""

    per_second: float
    p50: float
    p99: float
    failures: Mapping[str, int]
    """How often each outcome that is no success."""
    cpu_ms: Mapping[str, float]
    """CPU time for each request, by part."""


def run() -> None:
    """Measure, and write the figures into docs/benchmarks.md."""
    about = machine()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with local_system(folder / "local") as ours, peer(folder / "peer") as other:
            measured = measure(
                {OURS: ours, PEER: other},
                rounds=ROUNDS,
                seconds=SECONDS,
                warm_up_seconds=WARM_UP_SECONDS,
            )
    about = f"{ROUNDS} rounds of {SECONDS:g} seconds; {about}."
    drawn = f"![Requests a second]({write_picture('load', picture(measured))})"
    tables = [*table(measured), "", *cpu_table(measured)]
    write_block(BENCHMARKS, "load", [about, "", *tables, "", drawn])


def measure(
    servers: Mapping[str, Server],
    *,
    clients: Sequence[int] = CLIENTS,
    rounds: int,
    seconds: float,
    warm_up_seconds: float,
) -> Mapping[Case, Sequence[Turn]]:
    """Let clients ask the servers in turns, so that other load on the machine affects all."""
    for server in servers.values():
        for operation in OPERATIONS:
            _turn(server, operation, max(clients), warm_up_seconds)
    found: dict[Case, list[Turn]] = defaultdict(list)
    for _ in range(rounds):
        for operation in OPERATIONS:
            for number in clients:
                for name, server in servers.items():
                    turn = _turn(server, operation, number, seconds)
                    found[Case(operation, number, name)].append(turn)
    return found


def table(measured: Mapping[Case, Sequence[Turn]]) -> Iterator[str]:
    """Yield throughput and latency beside the peer's. Ratios are those of the same round."""
    yield (
        "| | clients | requests/s | min to max | p50, ms | p99, ms | failures"
        " | peer, requests/s | p50, ms | p99, ms | ratio to the peer |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    for operation, clients, server in measured:
        if server != OURS:
            continue
        ours = measured[Case(operation, clients, OURS)]
        other = measured[Case(operation, clients, PEER)]
        rates = [turn.per_second for turn in ours]
        ratio = median(
            one.per_second / two.per_second for one, two in zip(ours, other, strict=True)
        )
        yield (
            f"| {operation} | {clients} | {median(rates):.0f}"
            f" | {min(rates):.0f} to {max(rates):.0f} | {_latencies(ours)} | {_failures(ours)}"
            f" | {median(turn.per_second for turn in other):.0f} | {_latencies(other)}"
            f" | {ratio:.2f} |"
        )


def cpu_table(measured: Mapping[Case, Sequence[Turn]]) -> Iterator[str]:
    """Yield the CPU time of each part for one request."""
    parts = (EDGE, FUNCTION, TABLE, _CLIENT)
    yield f"| CPU time for a request, ms | clients | {' | '.join(parts)} | peer | its clients |"
    yield f"|---|---|{'---|' * len(parts)}---|---|"
    for operation, clients, server in measured:
        if server != OURS:
            continue
        ours = measured[Case(operation, clients, OURS)]
        other = measured[Case(operation, clients, PEER)]
        cells = [_cpu(ours, part) for part in parts] + [_cpu(other, EDGE), _cpu(other, _CLIENT)]
        yield f"| {operation} | {clients} | {' | '.join(cells)} |"


def picture(measured: Mapping[Case, Sequence[Turn]]) -> str:
    """Return the throughput of both as an SVG."""
    cases = [case for case in measured if case.server == OURS]
    return bars(
        [f"{case.operation}, {case.clients}" for case in cases],
        {
            server: [
                median(turn.per_second for turn in measured[case._replace(server=server)])
                for case in cases
            ]
            for server in (OURS, PEER)
        },
        axis="requests a second, by operation and number of clients",
    )


def turn(seen: Seen, cpu_ms: Mapping[str, float]) -> Turn:
    """Return what a turn showed, with the CPU time that each part took for all of it.

    Raises ValueError where no request was answered.
    """
    if not seen.milliseconds:
        raise ValueError(f"no request was answered: {seen.outcomes}")
    requests = len(seen.milliseconds)
    return Turn(
        per_second=requests / seen.seconds,
        p50=percentile(seen.milliseconds, 50),
        p99=percentile(seen.milliseconds, 99),
        failures={
            name: count
            for name, count in seen.outcomes.items()
            if not name.startswith("2") and name != "304"
        },
        cpu_ms={part: cpu / requests for part, cpu in cpu_ms.items()},
    )


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the smallest value that so many percent of them do not exceed (nearest rank)."""
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


def _turn(server: Server, operation: str, clients: int, seconds: float) -> Turn:
    before = server.cpu_ms()
    # In a process of their own: what they compute is theirs.
    command = [sys.executable, "-m", "benchmarks.load.client"]
    command += [server.url, operation, str(clients), str(seconds)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    seen = msgspec.json.decode(done.stdout, type=Seen)
    after = server.cpu_ms()
    took = {part: cpu - before.get(part, 0) for part, cpu in after.items()}
    return turn(seen, {**took, _CLIENT: seen.cpu_ms})


def _latencies(turns: Sequence[Turn]) -> str:
    return f"{median(one.p50 for one in turns):.1f} | {median(one.p99 for one in turns):.1f}"


def _cpu(turns: Sequence[Turn], part: str) -> str:
    return f"{median(one.cpu_ms.get(part, 0) for one in turns):.2f}"


def _failures(turns: Sequence[Turn]) -> str:
    every = sum((Counter(one.failures) for one in turns), Counter[str]())
    return ", ".join(f"{name}: {count}" for name, count in sorted(every.items())) or "none"
