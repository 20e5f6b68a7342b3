"""AWS's prices in us-east-1, in US dollars, before tax, and where each was read.

AWS's own price pages fill their tables by script, so a stored copy of them often has none. What
could not be read on a page of AWS's is said to be quoted by others, or not to be verified.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

READ_ON: Final = "2026-11-28"
"""When all of them were read."""

REGION: Final = "us-east-1"
"""cdk.json names no Region; the runbook's sums are of this one, too."""

Read = Literal["AWS", "others", "not verified"]


class Price(NamedTuple):
    """A price.

    ``tiers`` are steps from the first unit on: how many units a step has, and what one unit costs
    there; the last step has no end. ``free`` units a month are free for ever; prices that AWS
    gives for a first year only have none. ``read`` says whose page ``source`` is.
    """

    unit: str
    tiers: tuple[tuple[float, float], ...]
    source: str
    read: Read
    free: float = 0

    def of(self, units: float, *, with_free: bool = False) -> float:
        """Return what a month costs."""
        rest = max(0.0, units - self.free) if with_free else units
        sum_ = 0.0
        for size, each in self.tiers:
            taken = min(rest, size)
            sum_ += taken * each
            rest -= taken
        return sum_


def _flat(each: float) -> tuple[tuple[float, float], ...]:
    return ((_END, each),)


_END: Final = float("inf")
_TB: Final = 1024.0

EDGE_REQUESTS: Final = Price(
    "million HTTPS requests",
    _flat(1.00),
    "https://aws.amazon.com/cloudfront/pricing/",
    "not verified",
    free=10,
)
EDGE_BYTES: Final = Price(
    "GB to viewers in North America and Europe",
    (
        (10 * _TB, 0.085),
        (40 * _TB, 0.080),
        (100 * _TB, 0.060),
        (350 * _TB, 0.040),
        (524 * _TB, 0.030),
        (4096 * _TB, 0.025),
        (_END, 0.020),
    ),
    "https://aws.amazon.com/cloudfront/pricing/",
    "AWS",
    free=_TB,
)
WAF_REQUESTS: Final = Price(
    "million requests", _flat(0.60), "https://c3x.dev/blog/aws-waf-cost-explained/", "others"
)
WAF_ACL: Final = Price(
    "web ACL with one rule", _flat(6.00), "https://c3x.dev/blog/aws-waf-cost-explained/", "others"
)
API_REQUESTS: Final = Price(
    "million requests",
    ((300, 1.00), (_END, 0.90)),
    "https://docs.aws.amazon.com/whitepapers/latest/best-practices-api-gateway-private-apis-integration/cost-optimization.html",
    "AWS",
)
INVOCATIONS: Final = Price(
    "million requests",
    _flat(0.20),
    "https://cloudchipr.com/blog/aws-lambda-pricing",
    "others",
    free=1,
)
GB_SECONDS: Final = Price(
    "million GB-seconds on arm64",
    ((7_500, 13.3334), (_END, 12.0001)),
    "https://cloudchipr.com/blog/aws-lambda-pricing",
    "others",
    free=0.4,
)
READ_UNITS: Final = Price(
    "million read request units",
    _flat(0.125),
    "https://airbyte.com/data-engineering-resources/dynamodb-pricing",
    "others",
)
WRITE_UNITS: Final = Price(
    "million write request units",
    _flat(0.625),
    "https://airbyte.com/data-engineering-resources/dynamodb-pricing",
    "others",
)
TABLE_STORAGE: Final = Price(
    "GB-month", _flat(0.25), "https://aws.amazon.com/dynamodb/pricing/", "AWS", free=25
)
TABLE_RECOVERY: Final = Price(
    "GB-month of point-in-time recovery",
    _flat(0.20),
    "https://aws.amazon.com/dynamodb/pricing/on-demand/",
    "not verified",
)
LOGS: Final = Price(
    "GB of Lambda's and the API's logs",
    ((10 * _TB, 0.50), (20 * _TB, 0.25), (20 * _TB, 0.10), (_END, 0.05)),
    "https://www.duckbillgroup.com/?p=9080",
    "others",
    free=5,
)
LOG_STORAGE: Final = Price(
    "GB-month, compressed",
    _flat(0.03),
    "https://hykell.com/kb/platform-specific-guides/aws-cloudwatch-logs-pricing",
    "others",
)
TRACES: Final = Price(
    "million traces", _flat(5.00), "https://aws.amazon.com/xray/pricing/", "AWS", free=0.1
)
ALARMS: Final = Price(
    "alarm metric",
    _flat(0.10),
    "https://c3x.dev/resources/aws/aws_cloudwatch_metric_alarm",
    "others",
    free=10,
)
DASHBOARDS: Final = Price(
    "dashboard",
    _flat(3.00),
    "https://www.factualminds.com/blog/amazon-cloudwatch-pricing-metrics-logs-alarms-dashboards/",
    "others",
    free=3,
)
METRICS: Final = Price(
    "custom metric", _flat(0.30), "https://signoz.io/guides/cloudwatch-pricing", "others", free=10
)
PAGE_STORAGE: Final = Price(
    "GB-month in S3", _flat(0.023), "https://aws.amazon.com/s3/pricing/", "not verified"
)
SECRETS: Final = Price(
    "secret", _flat(0.40), "https://aws.amazon.com/secrets-manager/pricing/", "not verified"
)
