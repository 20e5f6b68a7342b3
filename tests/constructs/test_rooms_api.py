import json

import pytest
from aws_cdk import Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk.assertions import Template
from constructs.rooms_api import RoomsApi

from lambda_src.rooms.routes import ROUTES

ALIAS = "arn:aws:lambda:ap-northeast-1:111122223333:function:rooms:live"


@pytest.fixture
def template(stack: Stack) -> Template:
    RoomsApi(
        stack,
        "Api",
        name="rooms",
        handler=lambda_.Function.from_function_attributes(
            stack, "Live", function_arn=ALIAS, same_environment=True
        ),
        routes=ROUTES,
        allowed_origins=["https://lobby.example"],
        requests_per_second=50,
        requests_burst=100,
        log_retention=logs.RetentionDays.ONE_WEEK,
    )
    return Template.from_stack(stack)


def test_it_has_the_routes_of_the_table_and_no_other(template: Template) -> None:
    routes = template.find_resources("AWS::ApiGatewayV2::Route").values()
    assert sorted(route["Properties"]["RouteKey"] for route in routes) == [
        "DELETE /rooms/{roomId}/leave",
        "GET /rooms/{roomId}",
        "POST /rooms",
        "POST /rooms/{roomId}/join",
    ]


def test_every_route_goes_to_the_alias_in_format_2_and_may_invoke_it(template: Template) -> None:
    ((integration_id, integration),) = template.find_resources(
        "AWS::ApiGatewayV2::Integration"
    ).items()
    assert integration["Properties"]["IntegrationUri"] == ALIAS
    assert integration["Properties"]["PayloadFormatVersion"] == "2.0"
    for route in template.find_resources("AWS::ApiGatewayV2::Route").values():
        assert integration_id in json.dumps(route["Properties"]["Target"])
    permissions = template.find_resources("AWS::Lambda::Permission").values()
    assert [permission["Properties"]["FunctionName"] for permission in permissions] == [ALIAS] * 4


def test_a_function_lets_the_api_in_before_the_api_goes_to_it(template: Template) -> None:
    (integration,) = template.find_resources("AWS::ApiGatewayV2::Integration").values()
    assert {*template.find_resources("AWS::Lambda::Permission")} <= {*integration["DependsOn"]}


def test_pages_of_the_allowed_origins_may_send_and_read_what_the_contract_needs(
    template: Template,
) -> None:
    template.has_resource_properties(
        "AWS::ApiGatewayV2::Api",
        {
            "CorsConfiguration": {
                "AllowOrigins": ["https://lobby.example"],
                "AllowMethods": ["DELETE", "GET", "POST"],
                "AllowHeaders": [
                    "authorization",
                    "content-type",
                    "if-none-match",
                    "x-room-created",
                ],
                "ExposeHeaders": ["etag", "retry-after"],
                "MaxAge": 86400,
            }
        },
    )


def test_callers_are_throttled_and_counted_by_route(template: Template) -> None:
    template.has_resource_properties(
        "AWS::ApiGatewayV2::Stage",
        {
            "StageName": "$default",
            "AutoDeploy": True,
            "DefaultRouteSettings": {
                "ThrottlingRateLimit": 50,
                "ThrottlingBurstLimit": 100,
                "DetailedMetricsEnabled": True,
            },
        },
    )


def test_the_access_log_is_json_without_headers_bodies_or_paths(template: Template) -> None:
    (stage,) = template.find_resources("AWS::ApiGatewayV2::Stage").values()
    line = json.loads(stage["Properties"]["AccessLogSettings"]["Format"])
    assert line["requestId"] == "$context.requestId"
    for secret in ("header", "authoriz", "body", "path", "querystring"):
        assert secret not in " ".join(line.values()).lower()


def test_each_route_has_a_throttle_of_its_own_and_exists_before_the_stage_names_it(
    template: Template,
) -> None:
    """API Gateway refuses a stage with the settings of a route that it does not have yet."""
    (stage,) = template.find_resources("AWS::ApiGatewayV2::Stage").values()
    routes = template.find_resources("AWS::ApiGatewayV2::Route")
    of_routes = stage["Properties"]["RouteSettings"]
    assert {*of_routes} == {route["Properties"]["RouteKey"] for route in routes.values()}
    for settings in (*of_routes.values(), stage["Properties"]["DefaultRouteSettings"]):
        assert settings == {
            "DetailedMetricsEnabled": True,
            "ThrottlingBurstLimit": 100,
            "ThrottlingRateLimit": 50,
        }
    assert {*routes} <= {*stage["DependsOn"]}
