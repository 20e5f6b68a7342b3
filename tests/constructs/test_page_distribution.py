"""The CloudFront distribution in the template."""

import re
from typing import Any

import pytest

from lambda_src.rooms.routes import ROUTES
from tests.support.templates import only, resources, web_template, web_template_with

CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_BUT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
CERTIFICATE = "arn:aws:acm:us-east-1:" + "1" * 12 + ":certificate/0123-abcd"


@pytest.fixture
def distribution() -> dict[str, Any]:
    found = only(web_template(), "AWS::CloudFront::Distribution")["DistributionConfig"]
    return dict(found)


def behavior(distribution: dict[str, Any], path: str) -> Any:
    """The first one whose pattern fits, as CloudFront takes it."""
    for found in distribution["CacheBehaviors"]:
        if re.fullmatch(re.escape(found["PathPattern"]).replace(r"\*", ".*"), path):
            return found
    return distribution["DefaultCacheBehavior"]


def origin(distribution: dict[str, Any], found: Any) -> Any:
    (wanted,) = (o for o in distribution["Origins"] if o["Id"] == found["TargetOriginId"])
    return wanted


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.key)
def test_every_route_goes_to_the_api_with_its_method(
    distribution: dict[str, Any], route: Any
) -> None:
    found = behavior(distribution, route.path.replace("{roomId}", "BCDF23"))
    assert route.method in found["AllowedMethods"]
    assert found["OriginRequestPolicyId"] == ALL_BUT_HOST
    parameter = origin(distribution, found)["DomainName"]["Ref"]
    assert web_template()["Parameters"][parameter] == {
        "Type": "AWS::SSM::Parameter::Value<String>",
        "Default": "/hima-five-bomber/dev/api-domain",
    }


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.key)
def test_only_reads_are_cached_and_for_a_second(distribution: dict[str, Any], route: Any) -> None:
    found = behavior(distribution, route.path.replace("{roomId}", "BCDF23"))
    if route.method != "GET":
        assert found["CachePolicyId"] == CACHING_DISABLED
        return
    assert found["CachePolicyId"] in [
        {"Ref": name} for name in resources(web_template(), "AWS::CloudFront::CachePolicy")
    ]
    policy = only(web_template(), "AWS::CloudFront::CachePolicy")["CachePolicyConfig"]
    assert {policy["MinTTL"], policy["DefaultTTL"], policy["MaxTTL"]} == {1}
    key = policy["ParametersInCacheKeyAndForwardedToOrigin"]
    assert {*map(str, key.values())} == {
        "True",
        "{'CookieBehavior': 'none'}",
        "{'HeaderBehavior': 'whitelist', 'Headers': ['Origin', 'x-room-created']}",
        "{'QueryStringBehavior': 'none'}",
    }


@pytest.mark.parametrize("path", ["/", "/index.html", "/assets/0123/main.js", "/room"])
def test_everything_else_is_the_page(distribution: dict[str, Any], path: str) -> None:
    found = behavior(distribution, path)
    assert found is distribution["DefaultCacheBehavior"]
    assert "OriginAccessControlId" in origin(distribution, found)
    assert distribution["DefaultRootObject"] == "index.html"


def test_no_error_is_replaced_by_a_page_or_kept_for_long(distribution: dict[str, Any]) -> None:
    errors = distribution["CustomErrorResponses"]
    assert {404, 500, 503} < {error["ErrorCode"] for error in errors}
    assert all({*error} == {"ErrorCode", "ErrorCachingMinTTL"} for error in errors)
    assert {error["ErrorCachingMinTTL"] for error in errors} == {1}


def test_it_speaks_http_3_and_ipv6_compresses_and_nothing_goes_unencrypted(
    distribution: dict[str, Any],
) -> None:
    behaviors = [distribution["DefaultCacheBehavior"], *distribution["CacheBehaviors"]]
    assert distribution["HttpVersion"] == "http2and3"
    assert distribution["IPV6Enabled"]
    assert all(found["Compress"] for found in behaviors)
    assert {found["ViewerProtocolPolicy"] for found in behaviors} == {
        "redirect-to-https",
        "https-only",
    }
    (api,) = (o for o in distribution["Origins"] if "CustomOriginConfig" in o)
    assert api["CustomOriginConfig"] == {
        "OriginProtocolPolicy": "https-only",
        "OriginSSLProtocols": ["TLSv1.2"],
    }


def test_all_answers_have_the_security_headers(distribution: dict[str, Any]) -> None:
    (policy,) = resources(web_template(), "AWS::CloudFront::ResponseHeadersPolicy")
    for found in [distribution["DefaultCacheBehavior"], *distribution["CacheBehaviors"]]:
        assert found["ResponseHeadersPolicyId"] == {"Ref": policy}


def test_every_request_is_logged(distribution: dict[str, Any]) -> None:
    name = distribution["Logging"]["Bucket"]["Fn::GetAtt"][0]
    bucket = web_template()["Resources"][name]["Properties"]
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerPreferred"}]
    assert bucket["LifecycleConfiguration"]["Rules"] == [
        {"ExpirationInDays": 30, "Status": "Enabled"}
    ]


def test_without_a_domain_it_has_cloudfronts(distribution: dict[str, Any]) -> None:
    assert "Aliases" not in distribution
    assert "ViewerCertificate" not in distribution


@pytest.mark.proof
def test_a_domain_comes_with_its_certificate_and_tls_1_2() -> None:
    domain = {"name": "play.example.com", "certificateArn": CERTIFICATE}
    template = web_template_with(domain=domain)
    found = only(template, "AWS::CloudFront::Distribution")["DistributionConfig"]
    assert found["Aliases"] == ["play.example.com"]
    assert found["ViewerCertificate"] == {
        "AcmCertificateArn": CERTIFICATE,
        "MinimumProtocolVersion": "TLSv1.2_2021",
        "SslSupportMethod": "sni-only",
    }
    assert template["Outputs"]["PageUrl"]["Value"] == "https://play.example.com"


def test_a_limit_for_each_client_is_that_of_the_guard_stack_and_ipv6_has_no_way_around_it() -> None:
    """AWS WAF counts single addresses, of which an IPv6 client has as many as it likes."""
    limited = only(web_template("prd"), "AWS::CloudFront::Distribution")["DistributionConfig"]
    assert limited["WebACLId"] == {
        "Fn::GetStackOutput": {
            "StackName": "hima-five-bomber-prd-guard",
            "OutputName": "WebAclArn",
            "Region": "us-east-1",
        }
    }
    assert limited["IPV6Enabled"] is False


@pytest.mark.proof
def test_without_a_limit_there_is_no_web_acl(distribution: dict[str, Any]) -> None:
    assert "WebACLId" not in distribution
    assert distribution["IPV6Enabled"] is True
    budget_alone = web_template_with(monthlyBudgetUsd=10)
    assert "WebACLId" not in str(only(budget_alone, "AWS::CloudFront::Distribution"))
