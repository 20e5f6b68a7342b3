"""A distribution as it was deployed, and what the edge cannot do."""

from typing import Any

import pytest

from local.deployed import DeployedError
from local.distribution import read_distribution
from local.emulated_aws.resources.cloudfront import (
    CachePolicyModel,
    DistributionModel,
    ResponseHeadersPolicyModel,
)

OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
CONFIG: dict[str, Any] = {
    "DefaultRootObject": "index.html",
    "DefaultCacheBehavior": {"TargetOriginId": "page", "CachePolicyId": OPTIMIZED},
    "Origins": [
        {"Id": "page", "DomainName": "b.s3.ap-northeast-1.amazonaws.com", "S3OriginConfig": {}}
    ],
}


def deployed(**changed: Any) -> DistributionModel:
    made = DistributionModel("1", "ap-northeast-1", "Distribution")  # type: ignore[abstract]  # moto's way
    made.put("Distribution", {"DistributionConfig": {**CONFIG, **changed}})
    return made


def test_a_bucket_is_known_by_its_domain() -> None:
    (behavior,) = read_distribution([deployed()]).behaviors
    assert behavior.bucket == "b"
    assert behavior.methods == {"GET", "HEAD"}


def test_an_origin_may_have_headers_of_its_own() -> None:
    (page,) = CONFIG["Origins"]
    headers = [{"HeaderName": "X-Distribution-Key", "HeaderValue": "secret"}]
    (behavior,) = read_distribution(
        [deployed(Origins=[{**page, "OriginCustomHeaders": headers}])]
    ).behaviors
    assert behavior.custom_headers == {"x-distribution-key": "secret"}


def test_a_missing_distribution_is_an_error() -> None:
    with pytest.raises(DeployedError, match="0 distributions"):
        read_distribution([])


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (
            {"CustomErrorResponses": [{"ErrorCode": 404, "ResponsePagePath": "/index.html"}]},
            "does not support error pages",
        ),
        (
            {"DefaultCacheBehavior": {"TargetOriginId": "page", "CachePolicyId": "other"}},
            "does not support the cache policy other",
        ),
        (
            {
                "DefaultCacheBehavior": {
                    "TargetOriginId": "page",
                    "CachePolicyId": OPTIMIZED,
                    "OriginRequestPolicyId": "other",
                }
            },
            "does not support the policy other",
        ),
    ],
)
def test_unsupported_settings_are_errors(changed: dict[str, Any], told: str) -> None:
    with pytest.raises(DeployedError, match=told):
        read_distribution([deployed(**changed)])


def test_a_cache_key_with_cookies_is_not_supported() -> None:
    policy = CachePolicyModel("1", "ap-northeast-1", "Policy")  # type: ignore[abstract]  # moto's way
    key = {
        "CookiesConfig": {"CookieBehavior": "all"},
        "HeadersConfig": {"HeaderBehavior": "none"},
        "QueryStringsConfig": {"QueryStringBehavior": "none"},
    }
    config = {"Name": "n", "ParametersInCacheKeyAndForwardedToOrigin": key}
    policy.put("Policy", {"CachePolicyConfig": config})
    behavior = {"TargetOriginId": "page", "CachePolicyId": policy.physical_resource_id}
    with pytest.raises(DeployedError, match="does not support the cache key"):
        read_distribution([policy, deployed(DefaultCacheBehavior=behavior)])


TRANSPORT = {
    "AccessControlMaxAgeSec": 5,
    "IncludeSubdomains": True,
    "Preload": True,
    "Override": True,
}


def with_headers(**config: Any) -> list[Any]:
    policy = ResponseHeadersPolicyModel("1", "ap-northeast-1", "Policy")  # type: ignore[abstract]  # moto's way
    policy.put("Policy", {"ResponseHeadersPolicyConfig": {"Name": "n", **config}})
    behavior = {**CONFIG["DefaultCacheBehavior"], "ResponseHeadersPolicyId": policy.attribute("Id")}
    return [policy, deployed(DefaultCacheBehavior=behavior)]


def test_transport_security_is_said_with_all_that_the_policy_has() -> None:
    found = read_distribution(
        with_headers(SecurityHeadersConfig={"StrictTransportSecurity": TRANSPORT})
    )
    assert found.behaviors[0].headers == {
        "strict-transport-security": "max-age=5; includeSubDomains; preload"
    }


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"RemoveHeadersConfig": {"Items": [{"Header": "server"}]}}, "RemoveHeadersConfig"),
        ({"CorsConfig": {}}, "CorsConfig"),
        ({"SecurityHeadersConfig": {"XSSProtection": {"Override": True}}}, "XSSProtection"),
        ({"SecurityHeadersConfig": {"ContentTypeOptions": {"Override": False}}}, "origin's"),
        (
            {"CustomHeadersConfig": {"Items": [{"Header": "a", "Value": "b", "Override": False}]}},
            "origin's",
        ),
    ],
)
def test_unsupported_headers_are_errors(config: dict[str, Any], told: str) -> None:
    with pytest.raises(DeployedError, match=told):
        read_distribution(with_headers(**config))
