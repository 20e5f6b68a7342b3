"""The limits on the way of a request: ours and AWS's, and how much of each is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from benchmarks.scale.stage import stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.scale.load import Busiest

TABLE_WRITES: Final = 4_000
TABLE_READS: Final = 12_000
TABLE_QUOTA: Final = 40_000
ACCOUNT_REQUESTS: Final = 10_000
ACCOUNT_CONCURRENCY: Final = 1_000
EDGE_REQUESTS: Final = 250_000

_API: Final = "https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html"
_LAMBDA: Final = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"
_ON_DEMAND: Final = (
    "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html"
)
_TABLE: Final = (
    "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html"
)
_EDGE: Final = (
    "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html"
)
_CDK_JSON: Final = "../cdk.json"
_ROUTE_CURE: Final = "raise `requestsPerSecond`; above the account's quota, that one too"


class Quota(NamedTuple):
    """A limit: what it is, how much, where that is written, what is asked of it, and its cure."""

    name: str
    limit: float
    source: str
    asked: Callable[[Busiest], float]
    cure: str


def quotas() -> tuple[Quota, ...]:
    """Return the limits in the order in which a request meets them."""
    settings = stage()
    rate = settings.requests_per_second
    found = [
        Quota(
            "CloudFront: requests a second of a distribution",
            EDGE_REQUESTS,
            _EDGE,
            lambda busiest: busiest.edge_requests,
            "ask AWS for more; a flat-rate plan has no such quota",
        ),
        Quota(
            "ours: requests a second of the GET route",
            rate,
            _CDK_JSON,
            lambda busiest: busiest.gets,
            _ROUTE_CURE,
        ),
        Quota(
            "ours: requests a second of the join route",
            rate,
            _CDK_JSON,
            lambda busiest: busiest.joins,
            _ROUTE_CURE,
        ),
        Quota(
            "ours: requests a second of the leave route",
            rate,
            _CDK_JSON,
            lambda busiest: busiest.leaves,
            _ROUTE_CURE,
        ),
        Quota(
            "API Gateway: requests a second of the account",
            ACCOUNT_REQUESTS,
            _API,
            lambda busiest: busiest.requests,
            "ask AWS for more",
        ),
        Quota(
            "Lambda: environments of the account",
            ACCOUNT_CONCURRENCY,
            _LAMBDA,
            lambda busiest: busiest.environments,
            "ask AWS for more",
        ),
        Quota(
            "DynamoDB: read units a second, a new table",
            TABLE_READS,
            _ON_DEMAND,
            lambda busiest: busiest.read_units,
            "grow by less than double in half an hour, or set warm throughput before",
        ),
        Quota(
            "DynamoDB: read units a second of a table",
            TABLE_QUOTA,
            _TABLE,
            lambda busiest: busiest.read_units,
            "ask AWS for more",
        ),
        Quota(
            "DynamoDB: write units a second, a new table",
            TABLE_WRITES,
            _ON_DEMAND,
            lambda busiest: busiest.write_units,
            "grow by less than double in half an hour, or set warm throughput before",
        ),
        Quota(
            "DynamoDB: write units a second of a table",
            TABLE_QUOTA,
            _TABLE,
            lambda busiest: busiest.write_units,
            "ask AWS for more",
        ),
    ]
    if settings.reserved_concurrency is not None:
        found.insert(
            4,
            Quota(
                "ours: environments of the function",
                settings.reserved_concurrency,
                _CDK_JSON,
                lambda busiest: busiest.environments,
                "raise `reservedConcurrency`, up to the account's less 100",
            ),
        )
    return tuple(found)


def first_met(busiest: Busiest) -> Quota:
    """Return the limit of which the largest share is asked for."""
    return max(quotas(), key=lambda quota: quota.asked(busiest) / quota.limit)
