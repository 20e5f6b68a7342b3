"""Who asks: whether a request came through the page's distribution, and which client sent it.

The distribution sends a secret header with every request to the API, in place of whatever a viewer
sends by that name. A request with the right one came through the distribution, and so the last
address in X-Forwarded-For that CloudFront has written is the viewer's:
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/RequestAndResponseBehaviorCustomOrigin.html#RequestCustomIPAddresses
"""

from __future__ import annotations

import hmac
import ipaddress
from typing import TYPE_CHECKING, Any, Final

import msgspec

from .errors import ErrorCode, RoomsError
from .headers import DISTRIBUTION_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .payload import Event

IPV6_PREFIX: Final = 48
"""The bits of an IPv6 address that are one client: homes and companies get up to a /48 of their own
(https://www.ripe.net/publications/docs/ripe-690/)."""


class Entrance(msgspec.Struct, frozen=True, kw_only=True):
    """How requests may come in.

    ``keys`` are the secrets of the distribution: its own, and while it changes the one before.
    With ``only_through_page`` a request to the API's own address is refused.
    """

    keys: tuple[str, ...] = ()
    only_through_page: bool = False

    def admit(self, event: Event) -> str | None:
        """Return the network that a request came from: an IPv4 address or an IPv6 prefix.

        None for who invokes the function itself, which needs a permission of AWS: the pre-traffic
        hook and ``boot``. Only API Gateway sends the id of an API, and no client can write it.

        Raises:
            RoomsError: ``DIRECT_ACCESS``.

        """
        context = event.get("requestContext") or {}
        if not context.get("apiId"):
            return None
        headers = event.get("headers") or {}
        through_page = self._has_key(headers)
        if self.only_through_page and not through_page:
            raise RoomsError(ErrorCode.DIRECT_ACCESS)
        source = str(context.get("http", {}).get("sourceIp", ""))
        return _network(_viewer(headers, source) if through_page else source)

    def _has_key(self, headers: Mapping[str, Any]) -> bool:
        sent = str(headers.get(DISTRIBUTION_KEY, "")).encode()
        return any(hmac.compare_digest(sent, key.encode()) for key in self.keys)


def _viewer(headers: Mapping[str, Any], source: str) -> str:
    """Return the viewer's address. What a viewer has sent stands before it, and counts nothing."""
    forwarded = [part.strip() for part in str(headers.get("x-forwarded-for", "")).split(",")]
    # API Gateway has written whom it talked with: the distribution.
    if forwarded[-1] == source:
        forwarded.pop()
    return (forwarded[-1] if forwarded else "") or source


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:  # noqa: PLR2004  (the version of IP)
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((int(parsed), IPV6_PREFIX), strict=False))
