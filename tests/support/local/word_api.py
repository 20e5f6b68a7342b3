"""A stack with an HTTP API of one route, whose function says one word."""

import urllib.request
from typing import Any

from local.cloud import Cloud
from tests.support.local.emulated_functions import ROLE, Resources, deploy, function


def api(cloud: Cloud, name: str, word: str) -> dict[str, Any]:
    """A function of this name behind one route, and an output with the URL of the API."""
    code = f"def handler(event, context):\n    return {{'statusCode': 200, 'body': {word!r}}}"
    id_ = {"ApiId": {"Ref": "Api"}}
    resources: Resources = {
        "Role": ROLE,
        # Another logical id, as when the packaging changes: the old one is removed.
        f"Function{name}": function(cloud.client, code, name=name),
        "Api": {
            "Type": "AWS::ApiGatewayV2::Api",
            "Properties": {"Name": "rooms", "ProtocolType": "HTTP"},
        },
        "Integration": {
            "Type": "AWS::ApiGatewayV2::Integration",
            "Properties": {
                **id_,
                "IntegrationType": "AWS_PROXY",
                "IntegrationUri": {"Fn::GetAtt": [f"Function{name}", "Arn"]},
                "PayloadFormatVersion": "2.0",
                "TimeoutInMillis": 30_000,
            },
        },
        "Route": {
            "Type": "AWS::ApiGatewayV2::Route",
            "Properties": {
                **id_,
                "RouteKey": "GET /word",
                "Target": {"Fn::Join": ["", ["integrations/", {"Ref": "Integration"}]]},
            },
        },
        "Stage": {
            "Type": "AWS::ApiGatewayV2::Stage",
            "Properties": {**id_, "StageName": "$default", "AutoDeploy": True},
        },
    }
    outputs = {"ApiUrl": {"Value": {"Fn::GetAtt": ["Api", "ApiEndpoint"]}}}
    return {"Resources": resources, "Outputs": outputs}


def put(cloud: Cloud, name: str, word: str, *, stack: str = "rooms") -> None:
    """Deploy the API."""
    template = api(cloud, name, word)
    deploy(cloud.client, template["Resources"], name=stack, outputs=template["Outputs"])


def get(url: str) -> str:
    """Return the word."""
    with urllib.request.urlopen(f"{url}/word", timeout=60) as answer:
        return str(answer.read().decode())
