"""The limit for each client as it was deployed, and what the edge cannot do."""

from collections.abc import Callable
from typing import Any

import pytest
from constructs.client_limit import REFUSED, RETRY_AFTER_S

from local.client_limit import Clients, read_client_limit
from local.deployed import DeployedError
from local.distribution import read_distribution
from local.emulated_aws.resources.cloudfront import DistributionModel
from local.emulated_aws.resources.web_acl import WebAclModel
from tests.support.templates import guard_template, only


def acl(**changed: Any) -> dict[str, Any]:
    """Return our web ACL with some properties changed."""
    return {**only(guard_template(), "AWS::WAFv2::WebACL"), **changed}


def with_rule(**changed: Any) -> dict[str, Any]:
    """Return our web ACL with a part of its rule changed."""
    (rule,) = acl()["Rules"]
    return acl(Rules=[{**rule, **changed}])


def with_rate(**changed: Any) -> dict[str, Any]:
    rate = {"AggregateKeyType": "IP", "Limit": 3, "EvaluationWindowSec": 60}
    return with_rule(Statement={"RateBasedStatement": {**rate, **changed}})


def test_ours_is_read_with_what_a_client_above_it_gets() -> None:
    limit = read_client_limit(with_rate())
    assert (limit.requests, limit.window_s, limit.status) == (3, 60, 429)
    assert limit.headers["Content-Type"] == "application/json"
    assert limit.headers["Retry-After"] == str(RETRY_AFTER_S)
    assert REFUSED["error"]["code"].encode() in limit.body


@pytest.mark.proof
def test_where_the_template_says_nothing_wafs_defaults_count() -> None:
    plain = with_rule(
        Action={"Block": {}},
        Statement={"RateBasedStatement": {"AggregateKeyType": "IP", "Limit": 10}},
    )
    limit = read_client_limit(plain)
    assert (limit.window_s, limit.status, limit.body) == (300, 403, b"")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (lambda: acl(DefaultAction={"Block": {}}), "one rate-based rule that blocks"),
        (lambda: acl(Rules=[]), "one rate-based rule that blocks"),
        (lambda: acl(Rules=acl()["Rules"] * 2), "one rate-based rule that blocks"),
        (lambda: with_rule(Action={"Count": {}}), "one rate-based rule that blocks"),
        (lambda: with_rule(RuleLabels=[]), "one rate-based rule that blocks"),
        (
            lambda: with_rule(Statement={"GeoMatchStatement": {"CountryCodes": ["JP"]}}),
            "one rate-based rule that blocks",
        ),
        (lambda: with_rate(ScopeDownStatement={}), "a rate-based rule with ScopeDownStatement"),
        (lambda: with_rate(AggregateKeyType="FORWARDED_IP"), "with AggregateKeyType FORWARDED_IP"),
    ],
)
def test_any_other_rule_is_an_error(changed: Callable[[], dict[str, Any]], told: str) -> None:
    other = changed()
    with pytest.raises(DeployedError, match=told):
        read_client_limit(other)


def test_a_distribution_whose_web_acl_is_not_there_is_an_error() -> None:
    made = DistributionModel("1", "ap-northeast-1", "Distribution")  # type: ignore[abstract]  # moto's way
    config = {
        "WebACLId": "arn:gone",
        "Origins": [{"Id": "page", "DomainName": "b.s3.amazonaws.com", "S3OriginConfig": {}}],
        "DefaultCacheBehavior": {
            "TargetOriginId": "page",
            "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
        },
    }
    made.put("Distribution", {"DistributionConfig": config})
    other = WebAclModel("1", "us-east-1", "Acl")  # type: ignore[abstract]  # moto's way
    other.put("Acl", acl())
    with pytest.raises(DeployedError, match="web ACL arn:gone is not deployed"):
        read_distribution([made], [other])
    made.properties["DistributionConfig"]["WebACLId"] = other.attribute("Arn")
    assert read_distribution([made], [other]).client_limit == read_client_limit(acl())


def test_each_address_has_its_own_count_and_what_is_refused_counts_too() -> None:
    limit, clients = read_client_limit(with_rate()), Clients()
    refused = [clients.exceeds(limit, "192.0.2.1", now) for now in (0, 10, 20, 30, 59)]
    assert refused == [False, False, False, True, True]
    assert not clients.exceeds(limit, "192.0.2.2", 59)


def test_who_waits_is_let_in_again() -> None:
    limit, clients = read_client_limit(with_rate()), Clients()
    for _ in range(9):
        clients.exceeds(limit, "192.0.2.1", 0.5)
    assert clients.exceeds(limit, "192.0.2.1", 59.9)
    assert not clients.exceeds(limit, "192.0.2.1", 60.0)


def test_who_does_not_come_back_is_forgotten() -> None:
    limit, clients = read_client_limit(with_rate()), Clients()
    for number in range(100):
        clients.exceeds(limit, f"192.0.2.{number}", number)
    clients.exceeds(limit, "198.51.100.1", 130)

    assert set(clients._seconds) == {
        *(f"192.0.2.{number}" for number in range(71, 100)),
        "198.51.100.1",
    }
