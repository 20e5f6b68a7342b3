"""A million rooms in ten minutes, against the limits as they are and as they could be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from benchmarks.scale import quotas
from benchmarks.scale.evening import CACHE_S
from benchmarks.scale.load import duration_ms
from benchmarks.scale.simulation import Costs, Limits, Outcome, Rush, simulate
from benchmarks.scale.stage import stage

if TYPE_CHECKING:
    from benchmarks.scale.load import Month
    from benchmarks.scale.operations import Operations

_NO_LIMIT: Final = 1e9


class Case(NamedTuple):
    """Limits with a name, and the part of the rooms that is played."""

    name: str
    limits: Limits
    scale: int


def cases() -> tuple[Case, ...]:
    """Return ``prd`` as it is, what a new account has, and what the rush would need."""
    settings = stage()
    as_it_is = Limits(
        route_rate=settings.requests_per_second,
        route_burst=settings.requests_burst,
        concurrency=settings.reserved_concurrency or quotas.ACCOUNT_CONCURRENCY,
    )
    account = Limits(route_rate=_NO_LIMIT, route_burst=_NO_LIMIT)
    raised = Limits(
        route_rate=_NO_LIMIT,
        route_burst=_NO_LIMIT,
        account_rate=_NO_LIMIT,
        account_burst=_NO_LIMIT,
        concurrency=50_000,
        table_reads=1_000_000,
        table_writes=quotas.TABLE_QUOTA,
    )
    return (
        Case("`prd` as it is", as_it_is, 10),
        Case("only the account's default quotas", account, 20),
        Case("quotas raised", raised, 100),
    )


def costs_of(operations: Operations, month: Month) -> Costs:
    """Return what requests cost in a rush: each meets an environment that is new to its client.

    A start takes its CPU time, since Lambda gives it a whole CPU.
    """
    by_name = operations.by_name
    first, known = by_name["get, new client"], by_name["get"]
    meeting_ms = duration_ms(first, month) - duration_ms(known, month)
    meeting_reads = first.read_units - known.read_units
    names = ("create", "get", "join", "get, not modified", "leave")
    found = [by_name[name] for name in names]
    return Costs(
        seconds=tuple((duration_ms(one, month) + meeting_ms) / 1000 for one in found),
        reads=tuple(one.read_units + meeting_reads for one in found),
        writes=tuple(one.write_units for one in found),
        start_s=operations.start_cpu_ms / 1000,
    )


def play(costs: Costs) -> dict[str, tuple[Outcome, Outcome]]:
    """Return what comes of each case, with the edge's cache and without."""
    return {
        case.name: (
            simulate(case.limits, costs, Rush(cache_s=CACHE_S), scale=case.scale),
            simulate(case.limits, costs, Rush(cache_s=0), scale=case.scale),
        )
        for case in cases()
    }
