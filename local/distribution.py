"""Reads a deployed CloudFront distribution for ``local.edge``."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from local.client_limit import ClientLimit, read_client_limit
from local.deployed import DeployedError
from local.emulated_aws.resources import cloudfront
from local.emulated_aws.resources.web_acl import WebAclModel


@dataclass(frozen=True, kw_only=True)
class Caching:
    """A cache policy: lifetimes in seconds, and the headers that are in the key beside the path."""

    minimum_s: int
    default_s: int
    maximum_s: int
    key_headers: Sequence[str] = ()
    gzip: bool


@dataclass(frozen=True, kw_only=True)
class Behavior:
    """A cache behavior: the rules for the paths of a pattern."""

    pattern: str
    methods: frozenset[str]
    bucket: str | None
    """The bucket that is the origin; None where ``domain`` is."""
    domain: str
    custom_headers: Mapping[str, str] = field(default_factory=dict)
    """What the origin gets with every request; it replaces the viewer's. Names in lower case."""
    caching: Caching
    compress: bool
    headers: Mapping[str, str]
    """From the response headers policy; they replace the origin's."""

    def takes(self, path: str) -> bool:
        """Return whether a path matches: ``*`` is any characters, ``?`` is one.

        https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesCacheBehavior.html#DownloadDistValuesPathPattern
        """
        wanted = re.escape(self.pattern).replace(r"\*", ".*").replace(r"\?", ".")
        return re.fullmatch(wanted, path, re.DOTALL) is not None


@dataclass(frozen=True, kw_only=True)
class DeployedDistribution:
    """Behaviors in the order in which CloudFront tries them; the last matches every path."""

    root_object: str
    behaviors: Sequence[Behavior]
    error_seconds: Mapping[int, int]
    """How long an error is cached, in seconds, by its status."""
    client_limit: ClientLimit | None = None
    """What one address may send; None for no limit."""

    def behavior(self, path: str) -> Behavior:
        """Return the behavior for a path."""
        return next(behavior for behavior in self.behaviors if behavior.takes(path))


# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html
_MANAGED_CACHING: Final = {
    "658327ea-f89d-4fab-a63d-7e88639e58f6": Caching(
        minimum_s=1, default_s=86400, maximum_s=31536000, gzip=True
    ),
    "4135ea2d-6df8-44a3-9df3-4b5a84be39ad": Caching(
        minimum_s=0, default_s=0, maximum_s=0, gzip=False
    ),
}
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-origin-request-policies.html
_ALL_VIEWER_EXCEPT_HOST: Final = "b689b0a8-53d0-40ab-baf2-68738e2966ac"

_SECURITY_HEADERS: Final = {
    "ContentSecurityPolicy": ("content-security-policy", "ContentSecurityPolicy"),
    "FrameOptions": ("x-frame-options", "FrameOption"),
    "ReferrerPolicy": ("referrer-policy", "ReferrerPolicy"),
}
_OTHER_SECURITY_HEADERS: Final = frozenset({"ContentTypeOptions", "StrictTransportSecurity"})
_TRUE: Final = (True, "true")


def read_distribution(
    resources: Iterable[Any], web_acls: Iterable[WebAclModel] = ()
) -> DeployedDistribution:
    """Read the one distribution among a stack's resources, and its web ACL among all that are.

    Raises DeployedError unless there is one, with settings that the edge supports.
    """
    known = {
        resource.physical_resource_id: resource.config
        for resource in resources
        if isinstance(resource, cloudfront.CachePolicyModel | cloudfront.ResponseHeadersPolicyModel)
    }
    configs = [each.config for each in resources if isinstance(each, cloudfront.DistributionModel)]
    if len(configs) != 1:
        raise DeployedError(f"the stack has {len(configs)} distributions instead of one")
    (config,) = configs
    origins = {origin["Id"]: origin for origin in config["Origins"]}
    behaviors = [*config.get("CacheBehaviors", ()), config["DefaultCacheBehavior"]]
    errors = config.get("CustomErrorResponses", ())
    if any("ResponsePagePath" in error for error in errors):
        raise DeployedError("the edge does not support error pages, which the distribution has")
    return DeployedDistribution(
        root_object=config.get("DefaultRootObject", ""),
        behaviors=[
            _behavior(behavior, origins[behavior["TargetOriginId"]], known)
            for behavior in behaviors
        ],
        error_seconds={
            int(error["ErrorCode"]): int(error["ErrorCachingMinTTL"]) for error in errors
        },
        client_limit=_client_limit(config.get("WebACLId"), web_acls),
    )


def _client_limit(arn: str | None, web_acls: Iterable[WebAclModel]) -> ClientLimit | None:
    if not arn:
        return None
    for acl in web_acls:
        if acl.attribute("Arn") == arn:
            return read_client_limit(acl.config)
    raise DeployedError(f"the distribution's web ACL {arn} is not deployed")


def _behavior(
    config: Mapping[str, Any], origin: Mapping[str, Any], known: Mapping[str, Any]
) -> Behavior:
    bucket = re.match(r"(.+?)\.s3[.-]", origin["DomainName"])
    if config.get("OriginRequestPolicyId") not in {None, _ALL_VIEWER_EXCEPT_HOST}:
        raise DeployedError(
            f"the edge does not support the policy {config['OriginRequestPolicyId']}"
        )
    return Behavior(
        pattern=config.get("PathPattern", "*"),
        methods=frozenset(config.get("AllowedMethods", ("GET", "HEAD"))),
        bucket=bucket[1] if bucket and "S3OriginConfig" in origin else None,
        domain=origin["DomainName"],
        custom_headers={
            header["HeaderName"].lower(): header["HeaderValue"]
            for header in origin.get("OriginCustomHeaders", ())
        },
        caching=_caching(config["CachePolicyId"], known),
        compress=config.get("Compress", False),
        headers=_headers(known.get(config.get("ResponseHeadersPolicyId", ""), {})),
    )


def _caching(policy: str, known: Mapping[str, Any]) -> Caching:
    if policy in _MANAGED_CACHING:
        return _MANAGED_CACHING[policy]
    if policy not in known:
        raise DeployedError(f"the edge does not support the cache policy {policy}")
    config = known[policy]
    key = config["ParametersInCacheKeyAndForwardedToOrigin"]
    if any(
        key[part][f"{part.removesuffix('sConfig')}Behavior"] != "none"
        for part in ("CookiesConfig", "QueryStringsConfig")
    ):
        raise DeployedError(
            f"the edge does not support the cache key of the cache policy {config['Name']}"
        )
    return Caching(
        minimum_s=int(config["MinTTL"]),
        default_s=int(config["DefaultTTL"]),
        maximum_s=int(config["MaxTTL"]),
        key_headers=[name.lower() for name in key["HeadersConfig"].get("Headers", ())],
        gzip=key["EnableAcceptEncodingGzip"],
    )


def _headers(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers of a response headers policy; they replace the origin's."""
    security = config.get("SecurityHeadersConfig", {})
    custom = config.get("CustomHeadersConfig", {}).get("Items", ())
    unknown = [
        *(config.keys() - {"Name", "Comment", "SecurityHeadersConfig", "CustomHeadersConfig"}),
        *(security.keys() - _SECURITY_HEADERS.keys() - _OTHER_SECURITY_HEADERS),
    ]
    if unknown:
        raise DeployedError(
            f"the edge does not support response headers by {', '.join(sorted(unknown))}"
        )
    if not all(part["Override"] in _TRUE for part in (*security.values(), *custom)):
        raise DeployedError(
            "the edge does not support a header that does not override the origin's"
        )
    found = {
        header: str(security[part][field])
        for part, (header, field) in _SECURITY_HEADERS.items()
        if part in security
    }
    if "ContentTypeOptions" in security:
        found["x-content-type-options"] = "nosniff"
    if transport := security.get("StrictTransportSecurity"):
        found["strict-transport-security"] = f"max-age={transport['AccessControlMaxAgeSec']}" + (
            "; includeSubDomains" * (transport.get("IncludeSubdomains") in _TRUE)
            + "; preload" * (transport.get("Preload") in _TRUE)
        )
    for item in custom:
        found[item["Header"].lower()] = item["Value"]
    return found
