"""Who a client is, and which requests may come in."""

from __future__ import annotations

from typing import Any

import pytest

from lambda_src.rooms.client import Entrance
from lambda_src.rooms.errors import RoomsError
from lambda_src.rooms.headers import DISTRIBUTION_KEY

KEY, KEY_BEFORE = "k" * 43, "b" * 43
OPEN = Entrance(keys=(KEY, KEY_BEFORE))
CLOSED = Entrance(keys=(KEY, KEY_BEFORE), only_through_page=True)
CLOUDFRONT = "198.51.100.7"


def event(source: str = CLOUDFRONT, **headers: str) -> dict[str, Any]:
    """A request as API Gateway passes it on; ``source`` is whom it talks with."""
    return {
        "headers": {name.replace("_", "-"): value for name, value in headers.items()},
        "requestContext": {"apiId": "abc", "http": {"sourceIp": source}},
    }


def through_page(viewer: str, *, forged: str = "", key: str = KEY) -> dict[str, Any]:
    """A request that CloudFront has sent on, with what the viewer itself has written."""
    forwarded = ", ".join(filter(None, (forged, viewer, CLOUDFRONT)))
    return event(**{DISTRIBUTION_KEY: key, "x-forwarded-for": forwarded})


@pytest.mark.parametrize("entrance", [OPEN, CLOSED], ids=["open", "closed"])
@pytest.mark.parametrize("key", [KEY, KEY_BEFORE])
@pytest.mark.parametrize("forged", ["", "203.0.113.9", "203.0.113.9, 203.0.113.10", "x,,"])
def test_through_the_page_the_client_is_the_viewer_whatever_it_says_of_itself(
    entrance: Entrance, key: str, forged: str
) -> None:
    assert entrance.admit(through_page("192.0.2.1", forged=forged, key=key)) == "192.0.2.1"


def test_where_api_gateway_adds_no_address_the_last_one_is_the_viewers() -> None:
    sent = event(**{DISTRIBUTION_KEY: KEY, "x-forwarded-for": "203.0.113.9, 192.0.2.1"})
    assert OPEN.admit(sent) == "192.0.2.1"


@pytest.mark.parametrize("key", ["", "k" * 42, "K" * 43, "キー"])
def test_without_the_key_nothing_that_a_client_writes_counts(key: str) -> None:
    sent = event(
        "192.0.2.1", **{DISTRIBUTION_KEY: key, "x-forwarded-for": "203.0.113.9, 192.0.2.1"}
    )
    assert OPEN.admit(sent) == "192.0.2.1"


@pytest.mark.parametrize("sent", [event("192.0.2.1"), through_page("192.0.2.1", key="guess")])
def test_a_closed_stage_refuses_who_comes_to_the_api_itself(sent: dict[str, Any]) -> None:
    with pytest.raises(RoomsError, match="the address of its page") as refused:
        CLOSED.admit(sent)
    assert (refused.value.code.name, refused.value.code.status) == ("DIRECT_ACCESS", 403)


def test_a_closed_stage_without_a_key_lets_nobody_in() -> None:
    with pytest.raises(RoomsError):
        Entrance(only_through_page=True).admit(through_page("192.0.2.1", key=""))


def test_who_may_invoke_the_function_itself_comes_in_and_is_no_client() -> None:
    assert CLOSED.admit({"headers": {}}) is None
    assert CLOSED.admit({"requestContext": {"http": {"sourceIp": "127.0.0.1"}}}) is None


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("2001:0DB8:1:ffff::", "2001:db8:1::/48"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("no address", "no address"),
    ],
)
def test_a_client_is_an_ipv4_address_or_what_one_home_has_of_ipv6(
    address: str, network: str
) -> None:
    assert OPEN.admit(event(address)) == network
    assert OPEN.admit(through_page(address)) == network
