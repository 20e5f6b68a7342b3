"""The page and its API on one origin: a CloudFront distribution in front of both."""

from collections.abc import Sequence
from typing import Final

from aws_cdk import Acknowledgment, Duration, Validations
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_s3 as s3
from constructs import Construct
from constructs.security_headers import SecurityHeaders

from lambda_src.rooms.routes import Route

ROOM_CACHE_S: Final = 1
"""How long the edge keeps what it was told of a room, in seconds."""

_GET_ONLY: Final = {"GET"}
# Those whose time in the cache can be set. Left alone, each is kept for ten seconds:
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/custom-error-pages-expiration.html
_ERRORS: Final = (400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504)


class PageDistribution(Construct):
    """Serves a bucket's ``index.html`` at ``/``, and sends the API's paths on to it.

    What is asked of a room with GET is kept for a second, so that five lobbies asking cost one
    request; CloudFront compares ETags itself. A path that takes any other method is never kept, and
    everything of its requests reaches the API, the player's token too. An error is kept for
    a second at most, and never replaced by a page: the distribution could not tell the API's 404
    from the bucket's.

    Args:
        name: what its policies are called.
        page: the bucket.
        api_domain: the API's domain name.
        routes: the API's routes.
        access_logs: the bucket that gets a line for every request.
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
        routes: Sequence[Route],
        access_logs: s3.IBucket,
        domain_name: str | None,
        certificate: acm.ICertificate | None,
    ) -> None:
        super().__init__(scope, construct_id)
        headers = SecurityHeaders(self, "Headers", name=name).policy
        room_cache = cloudfront.CachePolicy(
            self,
            "RoomCache",
            cache_policy_name=name,
            comment="A room, for a second, whatever the API says of caching.",
            min_ttl=Duration.seconds(ROOM_CACHE_S),
            default_ttl=Duration.seconds(ROOM_CACHE_S),
            max_ttl=Duration.seconds(ROOM_CACHE_S),
            # A page of another origin is answered with headers that ours is not.
            header_behavior=cloudfront.CacheHeaderBehavior.allow_list("Origin"),
            enable_accept_encoding_gzip=True,
            enable_accept_encoding_brotli=True,
        )
        api = origins.HttpOrigin(
            api_domain, origin_ssl_protocols=[cloudfront.OriginSslPolicy.TLS_V1_2]
        )
        self.distribution = cloudfront.Distribution(
            self,
            "Distribution",
            default_root_object="index.html",
            default_behavior=cloudfront.BehaviorOptions(
                # To list is what lets S3 say 404 for what is not there, and not 403.
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
            domain_names=[domain_name] if domain_name else None,
            certificate=certificate,
            enable_logging=True,
            log_bucket=access_logs,
            comment="The lobby, and its API",
        )
        _acknowledge(self.distribution, has_certificate=certificate is not None)


def _patterns(routes: Sequence[Route]) -> dict[str, set[str]]:
    """Return the methods of each path pattern, the longest first: CloudFront takes the first.

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
        # API Gateway knows itself by its own Host alone.
        origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
        viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
        response_headers_policy=headers,
    )


def _acknowledge(distribution: cloudfront.Distribution, *, has_certificate: bool) -> None:
    reasons = {
        "Annotation::@aws-cdk/aws-cloudfront-origins:listBucketSecurityRisk": (
            "There is a default root object, so nobody is shown the list."
        ),
        "AwsSolutions-CFR1": "Friends play from wherever they are.",
        "AwsSolutions-CFR2": "The API's throttle bounds what anybody can cost, and a firewall costs"
        " more a month than all else here; it can be added without changing anything.",
    }
    if not has_certificate:
        reasons["AwsSolutions-CFR4"] = (
            "CloudFront's own certificate fixes it; a stage with a domain of its own has TLS 1.2."
        )
    for finding, reason in reasons.items():
        Validations.of(distribution).acknowledge(Acknowledgment(id=finding, reason=reason))
