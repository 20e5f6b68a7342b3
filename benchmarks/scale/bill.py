"""The bill of a month, line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from benchmarks.scale import prices
from benchmarks.scale.stage import stage

if TYPE_CHECKING:
    from benchmarks.scale.load import Month, Work
    from benchmarks.scale.prices import Price

SIZES: Final = (1_000, 1_000_000, 100_000_000)
"""Room evenings a month."""

ALARM_METRICS: Final = 21
"""The metrics of all alarms of ``prd``; a test counts them in its templates."""

ROUTE_METRICS: Final = 4 * 6
"""Four routes with API Gateway's six metrics each, since the stage has detailed metrics.

AWS does not say on a page that could be read how those of HTTP APIs are billed; they are counted as
custom metrics. https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html
"""

METRIC_FILTERS: Final = 4

_GB: Final = 1024**3
_MILLION: Final = 1_000_000
_MB_A_GB: Final = 1024


class Line(NamedTuple):
    """A line of the bill: a service, what is counted, how much of it, and its price."""

    service: str
    what: str
    units: float
    price: Price

    def dollars(self, *, with_free: bool = False) -> float:
        """Return what it costs."""
        return self.price.of(self.units, with_free=with_free)


def bill(
    evenings: float, work: Work, month: Month, *, room_bytes: int, lifetime_s: float
) -> tuple[Line, ...]:
    """Return the lines of a month with so many evenings.

    Args:
        evenings: how many.
        work: what one asks for.
        month: what is assumed.
        room_bytes: the size of a room's item.
        lifetime_s: how long it is in the table; DynamoDB deletes expired items within days.

    """
    settings = stage()
    requests = evenings * work.requests / _MILLION
    edge = evenings * work.edge_requests / _MILLION
    stored = evenings * room_bytes / _GB * lifetime_s / (month.days * 86_400)
    logs = evenings * work.log_bytes / _GB
    kept_months = _KEPT_MONTHS[settings.log_retention]
    gb_seconds = evenings * work.seconds * settings.memory_mb / _MB_A_GB / _MILLION
    lines = [
        Line("CloudFront", "requests", edge, prices.EDGE_REQUESTS),
        Line("CloudFront", "bytes sent", evenings * work.edge_bytes / _GB, prices.EDGE_BYTES),
        Line("API Gateway", "requests", requests, prices.API_REQUESTS),
        Line("Lambda", "requests", requests, prices.INVOCATIONS),
        Line("Lambda", "time", gb_seconds, prices.GB_SECONDS),
        Line("DynamoDB", "reads", evenings * work.read_units / _MILLION, prices.READ_UNITS),
        Line("DynamoDB", "writes", evenings * work.write_units / _MILLION, prices.WRITE_UNITS),
        Line("DynamoDB", "storage", stored, prices.TABLE_STORAGE),
        Line("CloudWatch", "logs written", logs, prices.LOGS),
        Line("CloudWatch", "logs kept", logs * _COMPRESSED * kept_months, prices.LOG_STORAGE),
        Line("CloudWatch", "alarms", ALARM_METRICS, prices.ALARMS),
        Line("CloudWatch", "metrics", ROUTE_METRICS + METRIC_FILTERS, prices.METRICS),
        Line("CloudWatch", "dashboard", 1, prices.DASHBOARDS),
        Line("X-Ray", "traces", _sampled(requests, month) / _MILLION, prices.TRACES),
        Line("S3", "access logs", edge * _MILLION * month.edge_log_bytes / _GB, _S3),
        Line("Secrets Manager", "secret", 1, prices.SECRETS),
    ]
    if settings.retain_data:
        lines.append(Line("DynamoDB", "recovery", stored, prices.TABLE_RECOVERY))
    if settings.requests_per_client is not None:
        lines.append(Line("WAF", "requests", edge, prices.WAF_REQUESTS))
        lines.append(Line("WAF", "web ACL", 1, prices.WAF_ACL))
    return tuple(sorted(lines, key=lambda line: line.service))


def total(lines: tuple[Line, ...], *, with_free: bool = False) -> float:
    """Return the sum of a bill."""
    return sum(line.dollars(with_free=with_free) for line in lines)


_S3: Final = prices.PAGE_STORAGE
_KEPT_MONTHS: Final = {
    "ONE_WEEK": 7 / 30,
    "TWO_WEEKS": 14 / 30,
    "ONE_MONTH": 1,
    "THREE_MONTHS": 3,
    "SIX_MONTHS": 6,
    "ONE_YEAR": 12,
}
# AWS stores logs compressed; the ratio is assumed.
_COMPRESSED: Final = 0.15


def _sampled(requests: float, month: Month) -> float:
    """Return the traces of a month: one in each busy second, and a twentieth of the rest.

    https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
    """
    count = requests * _MILLION
    first = min(count, month.days * month.busy_hours * 3600)
    return first + (count - first) / 20
