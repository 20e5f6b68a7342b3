"""The API of a stack is served as it is deployed, whatever is deployed meanwhile."""

import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.cloud import Cloud, emulated_cloud
from local.deployed import DeployedApi
from local.gateway import FunctionGoneError, reserve_port, serving
from local.progress import SilentProgress
from tests.support.local.emulated_functions import ROLE, Resources, deploy, function


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with emulated_cloud(tmp_path) as cloud:
        yield cloud


def api(cloud: Cloud, name: str, word: str) -> dict[str, Any]:
    """A function of this name behind one route, and the output by which the API is found."""
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


def put(cloud: Cloud, name: str, word: str) -> None:
    template = api(cloud, name, word)
    deploy(cloud.client, template["Resources"], outputs=template["Outputs"])


def get(url: str) -> str:
    with urllib.request.urlopen(f"{url}/word", timeout=60) as answer:
        return str(answer.read().decode())


def test_a_later_deployment_is_served(cloud: Cloud) -> None:
    put(cloud, "first", "one")
    with cloud.serving("rooms") as url:
        assert get(url) == "one"
        put(cloud, "second", "two")
        assert get(url) == "two"


def test_no_request_fails_while_one_function_takes_the_place_of_another(cloud: Cloud) -> None:
    put(cloud, "a", "a")
    words, over = [], threading.Event()
    with cloud.serving("rooms") as url:

        def ask() -> None:
            while not over.is_set():
                words.append(get(url))

        asking = threading.Thread(target=ask)
        asking.start()
        for name in ("b", "c", "d"):
            put(cloud, name, name)
        over.set()
        asking.join()
        assert get(url) == "d"
    assert words == sorted(words)


def test_the_environment_is_the_accounts_and_nothing_of_the_callers(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    assert cloud.environment["AWS_ENDPOINT_URL"] == cloud.account.endpoint_url
    assert "AWS_PROFILE" not in cloud.environment


def test_a_request_whose_function_is_gone_by_then_goes_to_the_next(cloud: Cloud) -> None:
    """Between finding the route and invoking its function, everything may be deployed."""
    apis: list[DeployedApi] = []
    for name in ("first", "second"):
        put(cloud, name, "one")
        apis.insert(0, cloud.read_api("rooms"))
    put(cloud, "third", "two")
    with (
        reserve_port(0) as listener,
        serving(
            lambda: apis.pop() if apis else after,
            cloud._invoke,
            listener=listener,
            progress=SilentProgress(),
        ) as url,
    ):
        after = cloud.read_api("rooms")
        assert get(url) == "two"


def test_a_function_that_is_gone_has_a_name_of_its_own_for_the_gateway(cloud: Cloud) -> None:
    with pytest.raises(FunctionGoneError):
        cloud._invoke("arn:aws:lambda:ap-northeast-1:123456789012:function:nobody", b"{}")
