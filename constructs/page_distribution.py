"""A CloudFront distribution that serves the page and its API from one origin."""

from collections.abc import Sequence
from typing import Final

from aws_cdk import Acknowledgment, Duration, Validations
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_s3 as s3
from constructs import Construct
from constructs.security_headers import SecurityHeaders

from lambda_src.rooms.headers import DISTRIBUTION_KEY, ROOM_CREATED
from lambda_src.rooms.routes import Route

ROOM_CACHE_S: Final = 1
"""How long the edge caches a room, in seconds."""

_GET_ONLY: Final = {"GET"}
# The errors whose lifetime in the cache can be set. By default it is ten seconds:
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/custom-error-pages-expiration.html
_ERRORS: Final = (400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504)


class PageDistribution(Construct):
    """Serves a bucket's ``index.html`` at ``/``, and forwards the API's paths to the API.

    GET of a room is cached for a second, so that five polling lobbies cost one request; CloudFront
    compares ETags itself. A path with any other method is never cached, and its requests reach the
    API complete, with the player's token. Errors are cached for a second at most, and never
    replaced by a page: the distribution cannot tell the API's 404 from the bucket's. Every request
    to the API brings a secret, which shows that it came through here.

    Args:
        name: the name of its policies.
        page: the bucket.
        api_domain: the API's domain name.
        api_key: the secret that shows the API that a request came through here.
        routes: the API's routes.
        access_logs: the bucket for access logs.
        web_acl: the ARN of the web ACL that limits each client; None for no limit.
        domain_name: the page's own domain, with ``certificate`` for it; None for CloudFront's.

    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        page: s3.IBucket,
        api_domain: str,
        api_key: str,
        routes: Sequence[Route],
        access_logs: s3.IBucket,
        web_acl: str | None,
        domain_name: str | None,
        certificate: acm.ICertificate | None,
    ) -> None:
        super().__init__(scope, construct_id)
        headers = SecurityHeaders(self, "Headers", name=name).policy
        room_cache = cloudfront.CachePolicy(
            self,
            "RoomCache",
            cache_policy_name=name,
            comment="GET of a room, for one second, whatever its Cache-Control is",
            min_ttl=Duration.seconds(ROOM_CACHE_S),
            default_ttl=Duration.seconds(ROOM_CACHE_S),
            max_ttl=Duration.seconds(ROOM_CACHE_S),
            # The CORS headers of the response depend on the origin. With the other one a cached
            # room is for those who know it already: who guesses its code asks the API.
            header_behavior=cloudfront.CacheHeaderBehavior.allow_list("Origin", ROOM_CREATED),
            enable_accept_encoding_gzip=True,
            enable_accept_encoding_brotli=True,
        )
        api = origins.HttpOrigin(
            api_domain,
            origin_ssl_protocols=[cloudfront.OriginSslPolicy.TLS_V1_2],
            # It replaces what a viewer sends by this name:
            # https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/add-origin-custom-headers.html
            custom_headers={DISTRIBUTION_KEY: api_key},
        )
        self.distribution = cloudfront.Distribution(
            self,
            "Distribution",
            default_root_object="index.html",
            default_behavior=cloudfront.BehaviorOptions(
                # With LIST, S3 answers 404 instead of 403 for a missing object.
                origin=origins.S3BucketOrigin.with_origin_access_control(
                    page,
                    origin_access_levels=[
                        cloudfront.AccessLevel.READ,
                        cloudfront.AccessLevel.LIST,
                    ],
                ),
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
                cache_policy=cloudfront.CachePolicy.CACHING_OPTIMIZED,
                response_headers_policy=headers,
            ),
            additional_behaviors={
                pattern: _api_behavior(api, methods, room_cache, headers)
                for pattern, methods in _patterns(routes).items()
            },
            error_responses=[
                cloudfront.ErrorResponse(http_status=status, ttl=Duration.seconds(ROOM_CACHE_S))
                for status in _ERRORS
            ],
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            minimum_protocol_version=(
                cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021 if certificate else None
            ),
            price_class=cloudfront.PriceClass.PRICE_CLASS_200,
            web_acl_id=web_acl,
            # AWS WAF counts single addresses, and over IPv6 a client has 2^64 or more of them.
            enable_ipv6=web_acl is None,
            domain_names=[domain_name] if domain_name else None,
            certificate=certificate,
            enable_logging=True,
            log_bucket=access_logs,
            comment="The lobby, and its API",
        )
        _acknowledge(
            self.distribution,
            has_certificate=certificate is not None,
            has_limit=web_acl is not None,
        )


def _patterns(routes: Sequence[Route]) -> dict[str, set[str]]:
    """Return the methods of each path pattern, the longest first: CloudFront uses the first match.

    ``*`` stands for any characters, slashes too:
    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesCacheBehavior.html
    """
    found: dict[str, set[str]] = {}
    for route in routes:
        parts = ("*" if part.startswith("{") else part for part in route.path.split("/"))
        found.setdefault("/".join(parts), set()).add(route.method)
    return dict(sorted(found.items(), key=lambda entry: (-entry[0].count("/"), entry[0])))


def _api_behavior(
    api: cloudfront.IOrigin,
    methods: set[str],
    room_cache: cloudfront.ICachePolicy,
    headers: cloudfront.IResponseHeadersPolicy,
) -> cloudfront.BehaviorOptions:
    only_reads = methods == _GET_ONLY
    return cloudfront.BehaviorOptions(
        origin=api,
        allowed_methods=(
            cloudfront.AllowedMethods.ALLOW_GET_HEAD_OPTIONS
            if only_reads
            else cloudfront.AllowedMethods.ALLOW_ALL
        ),
        cache_policy=room_cache if only_reads else cloudfront.CachePolicy.CACHING_DISABLED,
        # API Gateway accepts only its own Host.
        origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
        viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
        response_headers_policy=headers,
    )


def _acknowledge(
    distribution: cloudfront.Distribution, *, has_certificate: bool, has_limit: bool
) -> None:
    reasons = {
        "Annotation::@aws-cdk/aws-cloudfront-origins:listBucketSecurityRisk": (
            "There is a default root object, so the list is never served."
        ),
        "AwsSolutions-CFR1": "Players may be in any country.",
    }
    if not has_limit:
        reasons["AwsSolutions-CFR2"] = (
            "A limit for each client costs $6 a month, more than all else of an idle stage:"
            " requestsPerClient in cdk.json switches it on where people play."
        )
    if not has_certificate:
        reasons["AwsSolutions-CFR4"] = (
            "CloudFront's own certificate sets the TLS version; a stage with a domain has TLS 1.2."
        )
    for finding, reason in reasons.items():
        Validations.of(distribution).acknowledge(Acknowledgment(id=finding, reason=reason))
