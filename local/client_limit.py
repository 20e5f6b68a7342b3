"""Reads the limit for each client from a deployed web ACL, and counts by it.

AWS WAF does not count exactly, and lets a client that is suddenly too fast through for up to some
half a minute. Here the first request above the limit is refused.
"""

import threading
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from local.deployed import DeployedError

_DEFAULT_WINDOW_S: Final = 300
_CONTENT_TYPES: Final = {
    "APPLICATION_JSON": "application/json",
    "TEXT_HTML": "text/html",
    "TEXT_PLAIN": "text/plain",
}


@dataclass(frozen=True, kw_only=True)
class ClientLimit:
    """A rate-based rule: the requests of one address within a window, and what others get."""

    requests: int
    window_s: int
    status: int
    headers: Mapping[str, str]
    body: bytes


def read_client_limit(acl: Mapping[str, Any]) -> ClientLimit:
    """Read the one rule of a web ACL, as CloudFormation has it.

    Raises DeployedError for anything but one rate-based rule for each address that blocks.
    """
    match acl:
        case {
            "DefaultAction": {"Allow": _},
            "Rules": [
                {
                    "Action": {"Block": block},
                    "Statement": {"RateBasedStatement": rate, **other_statements},
                    **others,
                }
            ],
        } if not other_statements and others.keys() <= {"Name", "Priority", "VisibilityConfig"}:
            return _limit(rate, block, acl.get("CustomResponseBodies", {}))
    raise DeployedError(
        f"the edge does not support the web ACL {acl['Name']}: it supports one rate-based rule that"
        " blocks"
    )


def _limit(
    rate: Mapping[str, Any], block: Mapping[str, Any], bodies: Mapping[str, Any]
) -> ClientLimit:
    unknown = rate.keys() - {"AggregateKeyType", "EvaluationWindowSec", "Limit"}
    if unknown or rate["AggregateKeyType"] != "IP":
        what = ", ".join(sorted(unknown)) or f"AggregateKeyType {rate['AggregateKeyType']}"
        raise DeployedError(f"the edge does not support a rate-based rule with {what}")
    answer = block.get("CustomResponse", {})
    headers = {header["Name"]: header["Value"] for header in answer.get("ResponseHeaders", ())}
    body = bodies.get(answer.get("CustomResponseBodyKey"))
    if body:
        headers["Content-Type"] = _CONTENT_TYPES[body["ContentType"]]
    return ClientLimit(
        requests=int(rate["Limit"]),
        window_s=int(rate.get("EvaluationWindowSec", _DEFAULT_WINDOW_S)),
        status=int(answer.get("ResponseCode", 403)),
        headers=headers,
        body=body["Content"].encode() if body else b"",
    )


class Clients:
    """The requests of each address within the last window, those that were refused, too."""

    def __init__(self) -> None:
        """Begin without any."""
        self._lock = threading.Lock()
        self._seconds: defaultdict[str, Counter[int]] = defaultdict(Counter)
        self._next_drop = 0.0

    def exceeds(self, limit: ClientLimit, address: str, now: float) -> bool:
        """Count a request at a time in seconds, and return whether it is above the limit."""
        with self._lock:
            if now >= self._next_drop:
                self._next_drop = now + limit.window_s
                self._drop_before(now - limit.window_s)
            counted = self._seconds[address]
            for second in [second for second in counted if second <= now - limit.window_s]:
                del counted[second]
            counted[int(now)] += 1
            return counted.total() > limit.requests

    def _drop_before(self, then: float) -> None:
        for address in [one for one, counted in self._seconds.items() if max(counted) <= then]:
            del self._seconds[address]
