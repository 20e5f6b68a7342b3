"""Writes what was measured and calculated into docs/scale.md, and its pictures."""

from __future__ import annotations

from math import isinf
from typing import TYPE_CHECKING, Final

from benchmarks.document import SCALE, machine, write_block, write_picture
from benchmarks.plots import bars, lines
from benchmarks.scale import prices
from benchmarks.scale.bill import SIZES, total
from benchmarks.scale.load import duration_ms
from benchmarks.scale.quotas import first_met, quotas
from benchmarks.scale.stage import stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from benchmarks.scale.bill import Line
    from benchmarks.scale.evening import Evening, Requests
    from benchmarks.scale.load import Busiest, Month, Work
    from benchmarks.scale.operations import Operations
    from benchmarks.scale.prices import Price
    from benchmarks.scale.simulation import Outcome, Rush

_SMALLEST_SHOWN: Final = 2
"""The least share of a bill, in per cent, that has bars of its own."""


def write_operations(operations: Operations, month: Month) -> None:
    """Write what each operation costs."""
    write_block(SCALE, "operations", _operations(operations, month))


def write_evening(
    evening: Evening, month: Month, variants: Mapping[str, tuple[Requests, Requests]]
) -> None:
    """Write what an evening sends; each variant with the edge's cache and without."""
    write_block(SCALE, "an evening", _evening(evening, month, variants))


def write_bill(bills: Sequence[tuple[Line, ...]]) -> None:
    """Write the bills of ``SIZES``, and their picture."""
    shown = {name: row for name, row in shares(bills).items() if max(row) >= _SMALLEST_SHOWN}
    picture = bars(
        list(shown),
        {
            f"{size:,} evenings": [row[place] for row in shown.values()]
            for place, size in enumerate(SIZES)
        },
        axis="share of the bill, per cent",
    )
    write_block(SCALE, "the bill", _bill(bills, write_picture("bill", picture)))
    write_block(SCALE, "prices", _prices(bills))


def shares(bills: Sequence[tuple[Line, ...]]) -> dict[str, list[float]]:
    """Return what each line has of each bill, in per cent, by what it is for."""
    totals = [total(bill) for bill in bills]
    return {
        f"{row[0].service}, {row[0].what}": [
            round(100 * line.dollars() / whole, 1) for line, whole in zip(row, totals, strict=True)
        ]
        for row in zip(*bills, strict=True)
    }


def write_quotas(loads: Sequence[tuple[Work, Busiest]]) -> None:
    """Write which limit is met first at each of ``SIZES``."""
    write_block(SCALE, "limits", _quotas([busiest for _, busiest in loads]))


def write_rush(rush: Rush, outcomes: Mapping[str, tuple[Outcome, Outcome]]) -> None:
    """Write what comes of the rush, and its picture."""
    (_, (with_cache, without)) = list(outcomes.items())[-1]
    # Where nearly all is refused, the edge's cache makes no difference that could be seen.
    shown = {name.replace("`", ""): pair[0] for name, pair in outcomes.items()}
    shown["the same, not cached"] = without
    picture = lines(
        {
            name: [
                (window.at_s / 60, 100 * _refused(window.throttled + window.refused, window.viewer))
                for window in outcome.windows
            ]
            for name, outcome in shown.items()
        },
        x_axis="minutes since the first room",
        y_axis="refused, per cent",
    )
    asked = lines(
        {
            name: [(window.at_s / 60, window.api / 1000) for window in outcome.windows]
            for name, outcome in (
                ("cached for a second", with_cache),
                ("not cached", without),
            )
        },
        x_axis="minutes since the first room",
        y_axis="1,000 requests a second",
    )
    pictures = (write_picture("rush-refused", picture), write_picture("rush-requests", asked))
    write_block(SCALE, "the rush", _rush(rush, outcomes, pictures))


def _operations(operations: Operations, month: Month) -> Iterator[str]:
    yield (
        "| operation | answer | requests to the table | read units | write units |"
        " DynamoDB Local says | ms here | CPU ms here | ms on Lambda, calculated | bytes logged |"
    )
    yield "|---|--:|---|--:|--:|---|--:|--:|--:|--:|"
    for name, found in operations.by_name.items():
        told = " + ".join("?" if units is None else f"{units:g}" for units in found.told)
        yield (
            f"| {name} | {found.status} | {', '.join(found.actions)} | {found.read_units:g} |"
            f" {found.write_units:g} | {told} | {found.wall_ms:.1f} | {found.cpu_ms:.1f} |"
            f" {duration_ms(found, month):.0f} | {found.log_bytes} |"
        )
    yield ""
    yield (
        f"A start takes {operations.start_ms:.0f} ms here ({operations.start_cpu_ms:.0f} ms of"
        f" CPU). A full room is {operations.room_bytes:,} bytes in the table with names of three"
        f" characters, and {operations.largest_room_bytes:,} with the longest names: then each"
        f" write costs {-(-operations.largest_room_bytes // 1024)} units. Measured on"
        f" {machine()}; the function had {stage().memory_mb} MB."
    )


def _evening(
    evening: Evening, month: Month, variants: Mapping[str, tuple[Requests, Requests]]
) -> Iterator[str]:
    yield "| assumed | |"
    yield "|---|--:|"
    yield f"| players | {evening.players} |"
    yield f"| a friend follows the link after the one before | {evening.join_every_s:g} s |"
    yield f"| the lobby is shown from its creation on | {evening.lobby_s / 60:g} min |"
    yield f"| joins with a mistyped code | {evening.typing_errors:g} |"
    yield f"| edge locations among which the five are spread | {evening.edges} |"
    yield f"| from the edge to the function and back | {evening.origin_s * 1000:g} ms |"
    yield f"| headers of an answer of the edge | {evening.header_bytes} bytes |"
    yield f"| the table's time for a request | {month.table_ms:g} ms |"
    yield f"| Lambda's own log of a request | {month.platform_log_bytes} bytes |"
    yield f"| the API's log of a request | {month.api_log_bytes} bytes |"
    yield f"| the edge's log of a request | {month.edge_log_bytes} bytes |"
    yield f"| all evenings of a day are within | {month.busy_hours:g} hours |"
    yield f"| a month has | {month.days} days |"
    yield ""
    yield (
        "| requests of an evening | files of the page | create, join, leave | GET before a join |"
        " polls | to CloudFront | to the API, cached for a second | not cached | cached ÷ not |"
    )
    yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|"
    for name, (kept, nothing) in variants.items():
        yield (
            f"| {name} | {kept.files:.0f} | {kept.writes:g} | {kept.looks:g} | {kept.polls:.0f} |"
            f" {kept.to_edge:.0f} | {kept.to_api:.0f} | {nothing.to_api:.0f} |"
            f" {kept.to_api / nothing.to_api:.2f} |"
        )


def _bill(bills: Sequence[tuple[Line, ...]], picture: str) -> Iterator[str]:
    heads = " | ".join(f"{size:,} | $" for size in SIZES)
    yield f"| | unit | {heads} |"
    yield "|---|---|" + "--:|" * (2 * len(SIZES))
    for line, *others in zip(*bills, strict=True):
        cells = " | ".join(
            f"{_amount(one.units)} | {one.dollars():,.2f}" for one in (line, *others)
        )
        yield f"| {line.service}: {line.what} | {line.price.unit} | {cells} |"
    for name, with_free in (("together", False), ("with what is free for ever", True)):
        cells = " | ".join(f"| **{total(one, with_free=with_free):,.2f}**" for one in bills)
        yield f"| **{name}** | | {cells} |"
    cells = " | ".join(
        f"| {total(one) / size * 1000:,.2f}" for one, size in zip(bills, SIZES, strict=True)
    )
    yield f"| for 1,000 evenings | | {cells} |"
    yield ""
    yield f"![The share of each line in the bill, at three sizes]({picture})"


def _prices(bills: Sequence[tuple[Line, ...]]) -> Iterator[str]:
    yield f"Prices of {prices.REGION}, looked up on {prices.READ_ON}."
    yield ""
    yield "| price | $ | free for ever, a month | read where |"
    yield "|---|--:|--:|---|"
    for line in bills[0]:
        yield (
            f"| {line.service}: {line.price.unit} | {_steps(line.price)} | {_free(line.price)} |"
            + (f" {_READ[line.price.read]}: <{line.price.source}> |")
        )


_READ: Final = {
    "AWS": "AWS's page",
    "others": "quoted by others",
    "not verified": "**not verified**; it belongs on",
}


def _steps(price: Price) -> str:
    parts, up_to = [], 0.0
    for size, each in price.tiers:
        up_to += size
        parts.append(f"{each:g}" if isinf(up_to) else f"{each:g} up to {up_to:,.0f}")
    return ", then ".join(parts)


def _free(price: Price) -> str:
    return f"{price.free:g}" if price.free else ""


def _quotas(busiest: Sequence[Busiest]) -> Iterator[str]:
    heads = " | ".join(f"{size:,} evenings" for size in SIZES)
    yield f"| limit | | {heads} | what to change |"
    yield "|---|--:|" + "--:|" * len(SIZES) + "---|"
    firsts = [first_met(one) for one in busiest]
    for quota in quotas():
        cells = []
        for one, first in zip(busiest, firsts, strict=True):
            share = f"{_amount(quota.asked(one))} ({_percent(quota.asked(one) / quota.limit)})"
            is_first = first.name == quota.name
            cells.append(f"**{share}**" if is_first else share)
        yield (
            f"| [{quota.name}]({quota.source}) | {quota.limit:,.0f} | {' | '.join(cells)} |"
            f" {quota.cure} |"
        )


def _rush(
    rush: Rush, outcomes: Mapping[str, tuple[Outcome, Outcome]], pictures: tuple[str, str]
) -> Iterator[str]:
    yield "| assumed | |"
    yield "|---|--:|"
    yield f"| rooms, opened evenly within {rush.open_s / 60:g} minutes | {rush.rooms:,} |"
    yield f"| four friends follow the link within | {rush.follow_s:g} s |"
    yield f"| they type their name for | {rush.type_s:g} s |"
    yield f"| a lobby is left after | {rush.lobby_s / 60:g} min |"
    yield f"| when the page has given up, somebody presses again after | {rush.press_s:g} s |"
    yield f"| and gives up with press | {rush.presses} |"
    yield ""
    yield (
        "| limits | edge | rooms opened | seats taken | requests | 429 | 503 |"
        " the table's part of it | most a second to CloudFront | to the API |"
        " environments at most | refusals end, minutes after the last room |"
    )
    yield "|---|---|" + "--:|" * 10
    for name, pair in outcomes.items():
        for edge, found in zip(("caches a second", "caches nothing"), pair, strict=True):
            end = (
                "not within the run"
                if found.recovered_s is None
                else (f"{found.recovered_s / 60:.1f}")
            )
            yield (
                f"| {name} | {edge} | {_percent(found.opened)} | {_percent(found.seated)} |"
                f" {found.requests / 1e6:,.0f} million | {_percent(found.answered_429)} |"
                f" {_percent(found.answered_503)} | {_percent(found.throttled_by_table)} |"
                f" {found.most_viewer:,.0f} | {found.most_api:,.0f} |"
                f" {found.most_environments:,.0f} | {end} |"
            )
    yield ""
    yield f"![The share of requests that are refused, over time]({pictures[0]})"
    yield ""
    yield f"![With quotas raised: the requests that reach the API, over time]({pictures[1]})"


def _refused(refused: float, requests: float) -> float:
    return refused / requests if requests else 0.0


def _percent(share: float) -> str:
    percent = 100 * share
    if 0 < percent < 0.1:
        return "< 0.1 %"
    return f"{percent:.3g} %" if percent < 99.95 else f"{percent:,.0f} %"


def _amount(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"
