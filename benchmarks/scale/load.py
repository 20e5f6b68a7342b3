"""What evenings ask of the API, the function and the table: each, and at the busiest time."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Final, NamedTuple

from benchmarks.scale.stage import stage

if TYPE_CHECKING:
    from benchmarks.scale.evening import Requests
    from benchmarks.scale.operations import Operation, Operations

FULL_CPU_MB: Final = 1769
"""The memory with which a function has one vCPU; with less it has its share.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
"""

REQUESTS_PER_ENVIRONMENT: Final = 10
"""What one environment serves in a second at most.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""


@dataclass(frozen=True, kw_only=True)
class Month:
    """What is assumed of a month; nobody has measured it.

    ``busy_hours``: all evenings of a day are within so many hours, evenly. ``table_ms``: how long
    the table takes for a request; AWS says single-digit milliseconds. ``platform_log_bytes``: what
    Lambda itself logs of a request, and ``api_log_bytes`` the API.
    """

    days: int = 30
    busy_hours: float = 4
    table_ms: float = 5
    platform_log_bytes: int = 800
    api_log_bytes: int = 420
    edge_log_bytes: int = 100


class Work(NamedTuple):
    """What one evening asks for, on average; bytes are those of log lines."""

    edge_requests: float
    edge_bytes: float
    requests: float
    gets: float
    creates: float
    joins: float
    leaves: float
    seconds: float
    read_units: float
    write_units: float
    log_bytes: float


class Busiest(NamedTuple):
    """What is asked for in a second of the busy hours, and how many environments serve it."""

    evenings: float
    edge_requests: float
    requests: float
    gets: float
    joins: float
    leaves: float
    concurrency: float
    environments: float
    read_units: float
    write_units: float


def duration_ms(operation: Operation, month: Month) -> float:
    """Return how long Lambda runs for an operation, warm.

    It is calculated: CPU time of this machine by the share of a CPU that the function has, and the
    table's time for each request.
    """
    share = min(1.0, stage().memory_mb / FULL_CPU_MB)
    return operation.cpu_ms / share + len(operation.actions) * month.table_ms


def work_of(
    requests: Requests, operations: Operations, month: Month, *, environments: float
) -> Work:
    """Return what one evening asks for, where so many environments serve it.

    Each environment reads once a day how often a client has tried codes, so the more there are,
    the more requests come with that read.
    """
    by_name = operations.by_name
    counts = {
        "create": requests.creates,
        "join": requests.joins,
        "leave": requests.leaves - 1,
        "last leave": 1,
        "no such room": requests.errors,
        "get": requests.looks,
        "get, not modified": requests.missed,
    }
    # Five friends are five clients.
    meetings = _first_meetings(requests.to_api, clients=requests.leaves, environments=environments)
    first, known = by_name["get, new client"], by_name["get"]
    seconds = sum(count * ceil(duration_ms(by_name[name], month)) for name, count in counts.items())
    seconds += meetings * (duration_ms(first, month) - duration_ms(known, month))
    lines = sum(count * by_name[name].log_bytes for name, count in counts.items())
    return Work(
        edge_requests=requests.to_edge,
        edge_bytes=requests.bytes_out,
        requests=requests.to_api,
        gets=requests.looks + requests.missed,
        creates=requests.creates,
        joins=requests.joins + requests.errors,
        leaves=requests.leaves,
        seconds=seconds / 1000,
        read_units=sum(count * by_name[name].read_units for name, count in counts.items())
        + meetings * (first.read_units - known.read_units),
        write_units=sum(count * by_name[name].write_units for name, count in counts.items()),
        log_bytes=lines + requests.to_api * (month.platform_log_bytes + month.api_log_bytes),
    )


def busiest(evenings: float, work: Work, month: Month) -> Busiest:
    """Return what is asked for in a second of the busy hours, with so many evenings a month."""
    rate = evenings / month.days / (month.busy_hours * 3600)
    return Busiest(
        evenings=rate,
        edge_requests=rate * work.edge_requests,
        requests=rate * work.requests,
        gets=rate * work.gets,
        joins=rate * work.joins,
        leaves=rate * work.leaves,
        concurrency=rate * work.seconds,
        environments=max(rate * work.seconds, rate * work.requests / REQUESTS_PER_ENVIRONMENT),
        read_units=rate * work.read_units,
        write_units=rate * work.write_units,
    )


def settled(
    evenings: float, requests: Requests, operations: Operations, month: Month
) -> tuple[Work, Busiest]:
    """Return work and busiest second where environments and reads agree with each other."""
    environments = 1.0
    for _ in range(20):
        work = work_of(requests, operations, month, environments=environments)
        found = busiest(evenings, work, month)
        # More than one is there as soon as two requests meet.
        environments = max(2.0, found.environments)
    return work, found


def _first_meetings(requests: float, *, clients: float, environments: float) -> float:
    """Return how many requests meet an environment that does not know their client yet.

    Each request goes to any of the environments with the same chance; Lambda does not say how it
    chooses, and whatever else it does, there are fewer.
    """
    each = requests / clients
    # The chance to be the first there, for one of many requests.
    missing: float = (1 - 1 / environments) ** each
    return clients * environments * (1 - missing)
