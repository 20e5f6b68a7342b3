"""The HTTP API in front of the function."""

import json
from collections.abc import Sequence

import jsii
from aws_cdk import Acknowledgment, Duration, RemovalPolicy, Validations
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk.aws_apigatewayv2_integrations import HttpLambdaIntegration
from constructs import Construct

from lambda_src.rooms.headers import ROOM_CREATED
from lambda_src.rooms.routes import Route


class RoomsApi(Construct):
    """An HTTP API with exactly the given routes, throttled, logged and open to browsers.

    Args:
        name: the API's name; the access log has it too.
        handler: the function for every route.
        routes: the table of routes.
        allowed_origins: the origins of the pages that may call it; ``*`` for any.
        requests_per_second: the rate limit of each route, for all callers together.
        requests_burst: the burst limit of each route, for all callers together.
        log_retention: the lifetime of access log lines.

    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        handler: lambda_.IFunction,
        routes: Sequence[Route],
        allowed_origins: Sequence[str],
        requests_per_second: int,
        requests_burst: int,
        log_retention: logs.RetentionDays,
    ) -> None:
        super().__init__(scope, construct_id)
        methods = sorted({route.method for route in routes})
        self.api = apigatewayv2.HttpApi(
            self,
            "Api",
            api_name=name,
            create_default_stage=False,
            cors_preflight=apigatewayv2.CorsPreflightOptions(
                allow_origins=list(allowed_origins),
                allow_methods=[apigatewayv2.CorsHttpMethod[method] for method in methods],
                allow_headers=["authorization", "content-type", "if-none-match", ROOM_CREATED],
                expose_headers=["etag", "retry-after"],
                max_age=Duration.days(1),
            ),
        )
        integration = HttpLambdaIntegration("Function", handler)
        added_routes: list[apigatewayv2.HttpRoute] = []
        for route in routes:
            for added in self.api.add_routes(
                path=route.path,
                methods=[apigatewayv2.HttpMethod[route.method]],
                integration=integration,
            ):
                added_routes.append(added)
                Validations.of(added).acknowledge(
                    Acknowledgment(
                        id="AwsSolutions-APIG4",
                        reason="Players have no accounts. Everybody with a room's code may read and"
                        " join it; other actions need the player's token, which the condition of"
                        " the write checks.",
                    )
                )
        # The permissions come first, so that no request is refused when the API moves to another
        # function.
        parts = self.api.node.find_all()
        permissions = [part for part in parts if isinstance(part, lambda_.CfnPermission)]
        for part in parts:
            if isinstance(part, apigatewayv2.CfnIntegration):
                part.node.add_dependency(*permissions)
        self.access_log = logs.LogGroup(
            self,
            "AccessLog",
            # This prefix is exempt from the size limit of the account's log resource policy:
            # https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging.html
            log_group_name=f"/aws/vendedlogs/apis/{name}",
            retention=log_retention,
            removal_policy=RemovalPolicy.DESTROY,
        )
        stage = apigatewayv2.HttpStage(
            self,
            "Stage",
            http_api=self.api,
            stage_name="$default",
            auto_deploy=True,
            detailed_metrics_enabled=True,
            throttle=apigatewayv2.ThrottleSettings(
                rate_limit=requests_per_second, burst_limit=requests_burst
            ),
            access_log_settings=_AccessLog(self.access_log),
        )
        # Each its own bucket: who floods one route leaves the others to everybody else.
        resource = stage.node.default_child
        assert isinstance(resource, apigatewayv2.CfnStage)  # noqa: S101  # for the type checker
        resource.route_settings = {
            route.key: {
                "DetailedMetricsEnabled": True,
                "ThrottlingBurstLimit": requests_burst,
                "ThrottlingRateLimit": requests_per_second,
            }
            for route in routes
        }
        resource.node.add_dependency(*added_routes)


@jsii.implements(apigatewayv2.IAccessLogSettings)
class _AccessLog:
    """One JSON object per request: no header, no body, and the route instead of the path.

    The variables: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
    """

    def __init__(self, log_group: logs.ILogGroup) -> None:
        self._log_group = log_group

    @property
    def destination(self) -> apigatewayv2.IAccessLogDestination:
        return apigatewayv2.LogGroupLogDestination(self._log_group)

    @property
    def format(self) -> apigateway.AccessLogFormat:
        fields = {
            "requestId": "$context.requestId",
            "time": "$context.requestTime",
            "sourceIp": "$context.identity.sourceIp",
            "route": "$context.routeKey",
            "status": "$context.status",
            "responseLength": "$context.responseLength",
            "latencyMs": "$context.responseLatency",
            "integrationLatencyMs": "$context.integrationLatency",
            "integrationStatus": "$context.integration.status",
            "integrationError": "$context.integrationErrorMessage",
            "error": "$context.error.responseType",
        }
        return apigateway.AccessLogFormat.custom(json.dumps(fields))
