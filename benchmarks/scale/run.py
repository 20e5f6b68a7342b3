"""The part of ``make bench`` that writes docs/scale.md."""

from __future__ import annotations

from typing import Final

from benchmarks.figures import keep
from benchmarks.scale import report
from benchmarks.scale.bill import SIZES, bill
from benchmarks.scale.evening import Evening, requests_of
from benchmarks.scale.load import Month, settled
from benchmarks.scale.operations import measure
from benchmarks.scale.rush import costs_of, play
from benchmarks.scale.simulation import Rush

ROOM_LIFETIME_S: Final = 3 * 24 * 60 * 60
"""How long a room's item is in the table: a day until it expires, and at most two until it is gone.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
"""

_VARIANTS: Final = {
    "as assumed": Evening(),
    "five friends at five edges": Evening(edges=5),
    "an hour in the lobby": Evening(lobby_s=3600),
    "and two hours in a background tab": Evening(hidden_s=7200),
}


def run() -> None:
    """Measure the operations, calculate evenings, bills and limits, and simulate the rush."""
    month = Month()
    operations = measure()
    keep("scale", operations)
    report.write_operations(operations, month)
    body = operations.by_name["get"].answer_bytes
    variants = {
        name: (
            requests_of(evening, room_bytes=body),
            requests_of(evening, room_bytes=body, cache_s=0),
        )
        for name, evening in _VARIANTS.items()
    }
    report.write_evening(Evening(), month, variants)
    evening, _ = variants["as assumed"]
    loads = [settled(size, evening, operations, month) for size in SIZES]
    report.write_bill(
        [
            bill(
                size,
                work,
                month,
                room_bytes=operations.room_bytes,
                lifetime_s=ROOM_LIFETIME_S,
            )
            for size, (work, _) in zip(SIZES, loads, strict=True)
        ]
    )
    report.write_quotas(loads)
    report.write_rush(Rush(), play(costs_of(operations, month)))
