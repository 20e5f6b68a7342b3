"""The deployed HTTP API, read from the emulated account with boto3."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imagecheck.errors import FailedError


class DeployedError(FailedError):
    """What is deployed cannot be served on this machine; the message names what is missing."""


@dataclass(frozen=True, kw_only=True)
class Cors:
    """The CORS configuration of an HTTP API; empty fields are not configured."""

    allow_origins: Sequence[str] = ()
    allow_methods: Sequence[str] = ()
    allow_headers: Sequence[str] = ()
    expose_headers: Sequence[str] = ()
    allow_credentials: bool = False
    max_age_seconds: int | None = None


@dataclass(frozen=True, kw_only=True)
class DeployedRoute:
    """One route and the function that it invokes."""

    key: str
    """Such as ``GET /rooms/{roomId}`` or ``$default``."""
    function_arn: str
    timeout_seconds: float


@dataclass(frozen=True, kw_only=True)
class DeployedApi:
    """An HTTP API as its ``$default`` stage serves it."""

    api_id: str
    domain_name: str
    account_id: str
    routes: Sequence[DeployedRoute]
    cors: Cors | None
    stage_variables: Mapping[str, str]


def read_api(gateway: Any, api_id: str, *, account_id: str) -> DeployedApi:
    """Read an HTTP API with a boto3 ``apigatewayv2`` client.

    Raises DeployedError for a route without an integration, an integration that is not a Lambda
    proxy with payload format 2.0, or an API without a ``$default`` stage.
    """
    api = gateway.get_api(ApiId=api_id)
    stages = {stage["StageName"]: stage for stage in gateway.get_stages(ApiId=api_id)["Items"]}
    if "$default" not in stages:
        raise DeployedError(f"API {api['Name']} has no $default stage: its URL would answer 404")
    integrations = {
        f"integrations/{integration['IntegrationId']}": integration
        for integration in gateway.get_integrations(ApiId=api_id)["Items"]
    }
    return DeployedApi(
        api_id=api_id,
        domain_name=api["ApiEndpoint"].removeprefix("https://"),
        account_id=account_id,
        routes=[
            _route(route["RouteKey"], integrations.get(route.get("Target", "")))
            for route in gateway.get_routes(ApiId=api_id)["Items"]
        ],
        cors=_cors(api.get("CorsConfiguration")),
        stage_variables=stages["$default"].get("StageVariables", {}),
    )


def _route(key: str, integration: Mapping[str, Any] | None) -> DeployedRoute:
    if integration is None:
        raise DeployedError(f"route {key} has no integration")
    kind = (integration["IntegrationType"], integration.get("PayloadFormatVersion"))
    if kind != ("AWS_PROXY", "2.0"):
        raise DeployedError(f"route {key} needs AWS_PROXY with payload format 2.0, and has {kind}")
    # A function's ARN itself, or the older form .../functions/<ARN>/invocations.
    uri: str = integration["IntegrationUri"]
    return DeployedRoute(
        key=key,
        function_arn=uri.partition("/functions/")[2].removesuffix("/invocations") or uri,
        timeout_seconds=integration["TimeoutInMillis"] / 1000,
    )


def _cors(configuration: Mapping[str, Any] | None) -> Cors | None:
    if not configuration:
        return None
    return Cors(
        allow_origins=configuration.get("AllowOrigins", ()),
        allow_methods=configuration.get("AllowMethods", ()),
        allow_headers=configuration.get("AllowHeaders", ()),
        expose_headers=configuration.get("ExposeHeaders", ()),
        allow_credentials=configuration.get("AllowCredentials", False),
        max_age_seconds=configuration.get("MaxAge"),
    )
