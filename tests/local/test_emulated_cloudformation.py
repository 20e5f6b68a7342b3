"""Stacks in the emulated account: what moto lacks works, and what nothing emulates is refused."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.image import CONFIG_TYPE, MANIFEST_TYPE
from tests.local.conftest import Client
from tests.support.local.emulated_functions import (
    ROLE,
    Resources,
    RolledBackError,
    asset,
    deploy,
    function,
    zipped,
)


def push(aws: Client, marker: str) -> str:
    """Put an image into the repository and return its URI by digest."""
    ecr = aws("ecr")
    repositories = ecr.describe_repositories()["repositories"] or [
        ecr.create_repository(repositoryName="rooms")["repository"]
    ]
    config = {"mediaType": CONFIG_TYPE, "size": 1, "digest": marker}
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": config, "layers": []}
    image = ecr.put_image(repositoryName="rooms", imageManifest=json.dumps(manifest))["image"]
    return f"{repositories[0]['repositoryUri']}@{image['imageId']['imageDigest']}"


def rooms(image_uri: str, version: str, **variables: str) -> Resources:
    """The function's resources as the CDK writes them: a new version is a new logical id."""
    return {
        "Api": {
            "Type": "AWS::ApiGatewayV2::Api",
            "Properties": {
                "Name": "rooms",
                "ProtocolType": "HTTP",
                "CorsConfiguration": {"AllowOrigins": ["*"], "MaxAge": 60},
            },
        },
        "Integration": {
            "Type": "AWS::ApiGatewayV2::Integration",
            "Properties": {
                "ApiId": {"Ref": "Api"},
                "IntegrationType": "AWS_PROXY",
                "IntegrationUri": {"Ref": "Live"},
                "PayloadFormatVersion": "2.0",
            },
        },
        "Route": {
            "Type": "AWS::ApiGatewayV2::Route",
            "Properties": {
                "ApiId": {"Ref": "Api"},
                "RouteKey": "GET /rooms/{roomId}",
                "Target": {"Fn::Join": ["", ["integrations/", {"Ref": "Integration"}]]},
            },
        },
        "Stage": {
            "Type": "AWS::ApiGatewayV2::Stage",
            "Properties": {"ApiId": {"Ref": "Api"}, "StageName": "$default", "AutoDeploy": True},
        },
        "Live": {
            "Type": "AWS::Lambda::Alias",
            "Properties": {
                "FunctionName": {"Ref": "Function"},
                "FunctionVersion": {"Fn::GetAtt": [version, "Version"]},
                "Name": "live",
            },
        },
        version: {
            "Type": "AWS::Lambda::Version",
            "Properties": {"FunctionName": {"Ref": "Function"}},
            "DeletionPolicy": "Retain",
        },
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": "rooms",
                "PackageType": "Image",
                "Code": {"ImageUri": image_uri},
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Architectures": ["arm64"],
                "MemorySize": 512,
                "Timeout": 20,
                "Environment": {"Variables": variables},
                "LoggingConfig": {"LogFormat": "JSON", "LogGroup": "rooms-log"},
            },
        },
        "Role": ROLE,
    }


def live(aws: Client) -> Any:
    return aws("lambda").get_function(FunctionName="rooms:live")


def test_a_type_that_nothing_emulates_fails_the_deploy_by_name(aws: Client) -> None:
    odd = {"Odd": {"Type": "AWS::Odd::Thing"}, "Custom": {"Type": "Custom::Thing"}, "Role": ROLE}
    with pytest.raises(ClientError, match=r"AWS::Odd::Thing \(Odd\), Custom::Thing \(Custom\)"):
        deploy(aws, odd)
    with pytest.raises(ClientError, match=r"AWS::Odd::Thing \(Odd\)"):
        deploy(aws, {"Role": ROLE})
        deploy(aws, odd)


@pytest.mark.proof
def test_the_function_keeps_every_setting_that_the_template_gives_it(aws: Client) -> None:
    image_uri = push(aws, "one")
    deploy(aws, rooms(image_uri, "V1", TABLE="rooms"))
    function = live(aws)
    configuration = function["Configuration"]
    assert configuration["PackageType"] == "Image"
    assert configuration["Architectures"] == ["arm64"]
    assert (configuration["MemorySize"], configuration["Timeout"]) == (512, 20)
    assert configuration["Environment"]["Variables"] == {"TABLE": "rooms"}
    assert configuration["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": "rooms-log"}
    assert function["Code"]["ResolvedImageUri"] == image_uri


def test_an_image_that_is_not_in_the_registry_fails_the_deploy(aws: Client) -> None:
    image_uri = push(aws, "one").partition("@")[0] + "@sha256:" + "0" * 64
    with pytest.raises(RolledBackError, match=r"Source image .*0000 does not exist\. Provide"):
        deploy(aws, rooms(image_uri, "V1"))


@pytest.mark.proof
@pytest.mark.parametrize("change", ["variable", "image"])
def test_an_update_publishes_the_changed_function_and_moves_the_alias(
    aws: Client, change: str
) -> None:
    first = push(aws, "one")
    deploy(aws, rooms(first, "V1", TABLE="before", GONE="soon"))
    second = push(aws, "two") if change == "image" else first
    variables = {"TABLE": "after"} if change == "variable" else {"TABLE": "before", "GONE": "soon"}
    deploy(aws, rooms(second, "V2", **variables))

    function = live(aws)
    assert function["Configuration"]["Version"] == "2"
    assert function["Configuration"]["Environment"]["Variables"] == variables
    assert function["Code"]["ResolvedImageUri"] == second
    kept = aws("lambda").get_function(FunctionName="rooms:1")
    assert kept["Configuration"]["Environment"]["Variables"] == {"TABLE": "before", "GONE": "soon"}
    assert kept["Code"]["ResolvedImageUri"] == first
    told = aws("cloudformation").describe_stack_events(StackName="rooms")["StackEvents"]
    newest = next(
        json.loads(event["ResourceProperties"])
        for event in told
        if event["ResourceType"] == "AWS::Lambda::Function" and "ResourceProperties" in event
    )
    assert newest == {"Code": {"ImageUri": second}}


def test_an_update_of_the_api_keeps_its_ids(aws: Client) -> None:
    image_uri = push(aws, "one")
    resources = rooms(image_uri, "V1")
    deploy(aws, resources)
    gateway = aws("apigatewayv2")
    before = gateway.get_apis()["Items"][0]
    route = gateway.get_routes(ApiId=before["ApiId"])["Items"][0]
    assert before["CorsConfiguration"] == {"AllowOrigins": ["*"], "MaxAge": 60}

    resources["Api"]["Properties"]["CorsConfiguration"] = {"AllowOrigins": ["https://a.example"]}
    resources["Integration"]["Properties"]["TimeoutInMillis"] = 5000
    resources["Route"]["Properties"]["RouteKey"] = "GET /rooms/{id}"
    deploy(aws, resources)
    after = gateway.get_apis()["Items"][0]
    assert after["ApiId"] == before["ApiId"]
    assert after["CorsConfiguration"] == {"AllowOrigins": ["https://a.example"]}
    assert gateway.get_routes(ApiId=after["ApiId"])["Items"] == [
        route | {"RouteKey": "GET /rooms/{id}"}
    ]
    integration = gateway.get_integrations(ApiId=after["ApiId"])["Items"][0]
    assert route["Target"] == f"integrations/{integration['IntegrationId']}"
    assert integration["TimeoutInMillis"] == 5000


@pytest.mark.proof
def test_resources_that_the_template_no_longer_has_are_removed(aws: Client) -> None:
    resources = rooms(push(aws, "one"), "V1")
    deploy(aws, resources)
    del resources["Route"]
    deploy(aws, resources)
    gateway = aws("apigatewayv2")
    assert gateway.get_routes(ApiId=gateway.get_apis()["Items"][0]["ApiId"])["Items"] == []


def test_a_change_that_cannot_be_emulated_fails_the_deploy_by_name(aws: Client) -> None:
    def log(days: int) -> Resources:
        properties = {"LogGroupName": "log", "RetentionInDays": days}
        return {"Log": {"Type": "AWS::Logs::LogGroup", "Properties": properties}}

    deploy(aws, log(7))
    with pytest.raises(RolledBackError, match=r"cannot update AWS::Logs::LogGroup \(Log\)"):
        deploy(aws, log(14))


@pytest.mark.proof
def test_a_permission_changes_and_goes(aws: Client) -> None:
    def permission(principal: str) -> Resources:
        properties = {
            "Action": "lambda:InvokeFunction",
            "FunctionName": {"Ref": "Live"},
            "Principal": principal,
        }
        return {"Permission": {"Type": "AWS::Lambda::Permission", "Properties": properties}}

    def principals() -> list[str]:
        client = aws("lambda")
        try:
            policy = json.loads(client.get_policy(FunctionName="rooms:1")["Policy"])
        except client.exceptions.ResourceNotFoundException:
            return []
        return [statement["Principal"]["Service"] for statement in policy["Statement"]]

    resources = rooms(push(aws, "one"), "V1")
    deploy(aws, resources | permission("apigateway.amazonaws.com"))
    deploy(aws, resources | permission("sns.amazonaws.com"))
    assert principals() == ["sns.amazonaws.com"]
    deploy(aws, resources)
    assert principals() == []


@pytest.mark.proof
def test_what_only_waits_for_a_changed_resource_is_not_changed(aws: Client) -> None:
    def resources(word: str) -> Resources:
        content = asset(aws, zipped({"python/words.py": f"WORD = {word!r}"}))
        layer = {"Type": "AWS::Lambda::LayerVersion", "Properties": {"Content": content}}
        note = {"Name": "note", "Type": "String", "Value": "as ever"}
        refers = {**note, "Name": "refers", "Value": {"Ref": "Layer"}}
        parameter = {"Type": "AWS::SSM::Parameter"}
        return {
            "Layer": layer,
            "Waits": {**parameter, "Properties": note, "DependsOn": ["Layer"]},
            "Refers": {**parameter, "Properties": refers},
        }

    deploy(aws, resources("one"))
    deploy(aws, resources("two"))
    history = aws("ssm").get_parameter_history
    assert len(history(Name="note")["Parameters"]) == 1
    assert [each["Value"][-2:] for each in history(Name="refers")["Parameters"]] == [":1", ":2"]


@pytest.mark.proof
def test_a_function_cannot_change_from_image_to_zip(aws: Client) -> None:
    resources = rooms(push(aws, "one"), "V1")
    deploy(aws, resources)
    resources["Function"] = function(aws, "def handler(event, context): ...", name="rooms")
    with pytest.raises(RolledBackError, match="cannot update a stack when a custom-named resource"):
        deploy(aws, resources)
    assert live(aws)["Configuration"]["PackageType"] == "Image"


def test_alarms_filters_and_policies_are_there(aws: Client) -> None:
    statement = {"Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": "*"}
    alarm = {"ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1, "Threshold": 1}
    metric = {"Namespace": "Rooms", "MetricName": "InitFailures"}
    deploy(
        aws,
        {
            "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "alarms"}},
            "Policy": {
                "Type": "AWS::SNS::TopicPolicy",
                "Properties": {
                    "Topics": [{"Ref": "Topic"}],
                    "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
                },
            },
            "Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "log"}},
            "Filter": {
                "Type": "AWS::Logs::MetricFilter",
                "Properties": {
                    "LogGroupName": {"Ref": "Log"},
                    "FilterPattern": "ImportModuleError",
                    "MetricTransformations": [
                        {"MetricName": "n", "MetricNamespace": "s", "MetricValue": "1"}
                    ],
                },
            },
            "Simple": {
                "Type": "AWS::CloudWatch::Alarm",
                "Properties": alarm
                | metric
                | {"AlarmName": "simple", "Period": 60, "Statistic": "Sum"}
                | {"OKActions": [{"Ref": "Topic"}]},
            },
            "Math": {
                "Type": "AWS::CloudWatch::Alarm",
                "Properties": alarm
                | {
                    "AlarmName": "math",
                    "Metrics": [
                        {"Id": "sum", "Expression": "a + 1"},
                        {
                            "Id": "a",
                            "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"},
                            "ReturnData": False,
                        },
                    ],
                },
            },
            "Dashboard": {
                "Type": "AWS::CloudWatch::Dashboard",
                "Properties": {
                    "DashboardName": "rooms",
                    "DashboardBody": {"Fn::GetAtt": ["Simple", "Arn"]},
                },
            },
        },
    )
    alarms = {a["AlarmName"]: a for a in aws("cloudwatch").describe_alarms()["MetricAlarms"]}
    topic = aws("sns").list_topics()["Topics"][0]["TopicArn"]
    assert alarms["simple"]["OKActions"] == [topic]
    assert [query["Id"] for query in alarms["math"]["Metrics"]] == ["sum", "a"]
    dashboard = aws("cloudwatch").get_dashboard(DashboardName="rooms")
    assert dashboard["DashboardBody"] == alarms["simple"]["AlarmArn"]
    policy = aws("sns").get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
    assert json.loads(policy)["Statement"] == [statement]
    filters = aws("logs").describe_metric_filters(logGroupName="log")["metricFilters"]
    assert [found["filterPattern"] for found in filters] == ["ImportModuleError"]


@pytest.mark.proof
def test_an_identity_provider_changes_and_goes(aws: Client) -> None:
    def provider(url: str, *client_ids: str) -> Resources:
        properties: Resources = {"Url": url, "ClientIdList": client_ids}
        return {"Provider": {"Type": "AWS::IAM::OIDCProvider", "Properties": properties}}

    def known() -> dict[str, list[str]]:
        iam = aws("iam")
        listed = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
        found = [
            iam.get_open_id_connect_provider(OpenIDConnectProviderArn=each["Arn"])
            for each in listed
        ]
        return {each["Url"]: each["ClientIDList"] for each in found}

    arns = {"Ref": {"Ref": "Provider"}, "Arn": {"Fn::GetAtt": ["Provider", "Arn"]}}
    outputs = {name: {"Value": value} for name, value in arns.items()}
    deploy(aws, provider("https://tokens.example.com", "one"), outputs=outputs)
    stack = aws("cloudformation").describe_stacks(StackName="rooms")["Stacks"][0]
    assert {output["OutputValue"] for output in stack["Outputs"]} == {
        "arn:aws:iam::123456789012:oidc-provider/tokens.example.com"
    }
    assert known() == {"tokens.example.com": ["one"]}
    deploy(aws, provider("https://tokens.example.com", "one", "two"))
    assert known() == {"tokens.example.com": ["one", "two"]}
    deploy(aws, {"Role": ROLE})
    assert known() == {}


def test_an_account_has_one_identity_provider_for_each_url(aws: Client) -> None:
    twice: Resources = {
        name: {
            "Type": "AWS::IAM::OIDCProvider",
            "Properties": {"Url": "https://tokens.example.com"},
        }
        for name in ("First", "Second")
    }
    with pytest.raises(RolledBackError, match=r"url https://tokens\.example\.com already exists"):
        deploy(aws, twice)
