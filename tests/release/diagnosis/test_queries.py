"""Each question, answered by the service as its API documents it (botocore's Stubber)."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from release.diagnosis import log_queries, queries
from release.diagnosis.facts import (
    AccessFacts,
    AlarmFacts,
    AliasFacts,
    Concurrency,
    DeploymentFacts,
    FailedResource,
    HookFacts,
    LifecycleEvent,
    Override,
    StackFacts,
)
from tests.support.release.diagnosis_clients import stubbed

NAME = "hima-five-bomber-dev-rooms"
NOW = datetime(2026, 11, 25, 1, tzinfo=UTC)
MILLISECONDS = int(NOW.timestamp() * 1000)


# --- the stack ----------------------------------------------------------------------------------


def test_a_stack_and_its_outputs() -> None:
    with stubbed("cloudformation") as (client, stubber):
        stack = {
            "StackName": NAME,
            "CreationTime": NOW,
            "StackStatus": "UPDATE_COMPLETE",
            "Outputs": [{"OutputKey": "FunctionName", "OutputValue": "f"}],
        }
        stubber.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": NAME})
        assert queries.stack(client, NAME) == StackFacts("UPDATE_COMPLETE", {"FunctionName": "f"})


def test_no_stack() -> None:
    with stubbed("cloudformation") as (client, stubber):
        stubber.add_client_error("describe_stacks", "ValidationError")
        assert queries.stack(client, NAME) is None


def stack_event(
    logical_id: str, status: str, reason: str = "", type_: str = "AWS::Lambda::Alias"
) -> dict[str, Any]:
    return {
        "StackId": "s",
        "EventId": "e",
        "StackName": NAME,
        "Timestamp": NOW,
        "LogicalResourceId": logical_id,
        "ResourceType": type_,
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
    }


STACK = "AWS::CloudFormation::Stack"


def test_what_failed_in_the_last_operation_the_first_failure_first() -> None:
    events = [  # newest first, as CloudFormation lists them
        stack_event(NAME, "UPDATE_ROLLBACK_COMPLETE", type_=STACK),
        stack_event(NAME, "UPDATE_ROLLBACK_IN_PROGRESS", type_=STACK),
        stack_event("Other", "UPDATE_FAILED", "Resource update cancelled"),
        stack_event("Later", "UPDATE_FAILED", "because of the first"),
        stack_event("Live", "UPDATE_FAILED", "deployment d-1 failed"),
        stack_event(NAME, "UPDATE_IN_PROGRESS", "User Initiated", type_=STACK),
        stack_event("Old", "CREATE_FAILED", "long ago"),
    ]
    with stubbed("cloudformation") as (client, stubber):
        stubber.add_response("describe_stack_events", {"StackEvents": events})
        failures, image = queries.stack_operation(client, NAME)
    assert failures == (
        FailedResource("Live", "AWS::Lambda::Alias", "UPDATE_FAILED", "deployment d-1 failed"),
        FailedResource("Later", "AWS::Lambda::Alias", "UPDATE_FAILED", "because of the first"),
    )
    assert image == ""


def test_the_image_that_the_last_operation_brought_and_not_the_one_it_went_back_to() -> None:
    def of_function(status: str, code: object) -> dict[str, Any]:
        event = stack_event("Function", status, type_="AWS::Lambda::Function")
        return {**event, "ResourceProperties": json.dumps({"Code": code})}

    events = [
        stack_event(NAME, "UPDATE_ROLLBACK_COMPLETE", type_=STACK),
        of_function("UPDATE_COMPLETE", {"ImageUri": "r@sha256:before"}),
        stack_event(NAME, "UPDATE_ROLLBACK_IN_PROGRESS", type_=STACK),
        of_function("UPDATE_IN_PROGRESS", {"ImageUri": "r@sha256:new"}),
        of_function("UPDATE_IN_PROGRESS", {"S3Bucket": "the hook's"}),
        {**stack_event("Live", "UPDATE_FAILED"), "ResourceProperties": "cut o"},
        stack_event(NAME, "UPDATE_IN_PROGRESS", "User Initiated", type_=STACK),
        of_function("UPDATE_COMPLETE", {"ImageUri": "r@sha256:long-ago"}),
    ]
    with stubbed("cloudformation") as (client, stubber):
        stubber.add_response("describe_stack_events", {"StackEvents": events})
        assert queries.stack_operation(client, NAME)[1] == "r@sha256:new"


# --- Lambda -------------------------------------------------------------------------------------


def configuration(**more: Any) -> dict[str, Any]:
    return {
        "FunctionName": NAME,
        "Version": "3",
        "MemorySize": 512,
        "Timeout": 20,
        "PackageType": "Image",
        "Architectures": ["arm64"],
        "State": "Active",
        "LastUpdateStatus": "Successful",
        **more,
    }


def get_function(config: dict[str, Any], code: dict[str, Any] | None = None) -> Any:
    with stubbed("lambda") as (client, stubber):
        stubber.add_response(
            "get_function",
            {"Configuration": config, "Code": code or {}},
            {"FunctionName": NAME, "Qualifier": "live"},
        )
        return queries.function(client, NAME, "live")


def test_an_image_function() -> None:
    facts = get_function(
        configuration(
            State="Failed",
            StateReasonCode="ImageDeleted",
            StateReason="gone",
            LastUpdateStatus="Failed",
            LastUpdateStatusReasonCode="ImageAccessDenied",
            LastUpdateStatusReason="denied",
            Role="arn:aws:iam::123456789012:role/r",
            KMSKeyArn="arn:aws:kms:ap-northeast-1:123456789012:key/k",
            Environment={"Variables": {"ROOMS_TABLE": "secret"}},
        ),
        {"ResolvedImageUri": "host/repo@sha256:aa"},
    )

    assert (facts.version, facts.package, facts.digest) == ("3", "Image", "sha256:aa")
    assert (facts.state, facts.state_code, facts.state_reason) == ("Failed", "ImageDeleted", "gone")
    assert (facts.update_status, facts.update_code) == ("Failed", "ImageAccessDenied")
    assert facts.variables == {"ROOMS_TABLE": "secret"}
    assert "secret" not in repr(facts)
    assert facts.override is None


def test_a_zip_function() -> None:
    config = configuration(Handler="rooms.main.handler", PackageType="Zip")
    del config["Architectures"]

    facts = get_function(config)

    assert (facts.package, facts.handler, facts.image) == ("Zip", "rooms.main.handler", "")
    assert facts.architecture == "x86_64"  # Lambda's own default


@pytest.mark.parametrize(
    ("config", "override"),
    [
        ({"EntryPoint": [""]}, Override(("",))),
        ({"Command": ["app.handler"]}, Override(None, ("app.handler",))),
        ({"WorkingDirectory": "/x"}, Override(None, None, "/x")),
        ({"EntryPoint": [], "Command": []}, None),
        ({}, None),
    ],
)
def test_an_override_is_seen_also_where_it_is_an_empty_string(
    config: dict[str, Any], override: Override | None
) -> None:
    facts = get_function(configuration(ImageConfigResponse={"ImageConfig": config}))

    assert facts.override == override


def test_variables_that_cannot_be_decrypted() -> None:
    error = {"ErrorCode": "KMSAccessDeniedException", "Message": "unable to decrypt"}

    facts = get_function(configuration(Environment={"Error": error}))

    assert facts.variables_error == "KMSAccessDeniedException: unable to decrypt"


@pytest.mark.parametrize(
    ("routing", "weights"), [({}, {}), ({"AdditionalVersionWeights": {"4": 0.1}}, {"4": 0.1})]
)
def test_where_live_points(routing: dict[str, Any], weights: dict[str, float]) -> None:
    with stubbed("lambda") as (client, stubber):
        stubber.add_response(
            "get_alias",
            {"FunctionVersion": "3", "RoutingConfig": routing},
            {"FunctionName": NAME, "Name": "live"},
        )
        assert queries.alias(client, NAME) == AliasFacts("3", weights)


def test_concurrency_of_the_function_and_of_the_account() -> None:
    with stubbed("lambda") as (client, stubber):
        stubber.add_response("get_function_concurrency", {"ReservedConcurrentExecutions": 0})
        stubber.add_response("get_function_concurrency", {})
        limit = {"ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 4}
        stubber.add_response("get_account_settings", {"AccountLimit": limit})
        assert queries.reserved_concurrency(client, NAME) == Concurrency(0)
        assert queries.reserved_concurrency(client, NAME) == Concurrency(None)
        assert queries.account_concurrency(client) == (10, 4)


@pytest.mark.parametrize(
    ("statement", "may"),
    [
        ({"Principal": {"Service": "apigateway.amazonaws.com"}}, True),
        ({"Principal": {"Service": "apigateway.amazonaws.com"}, "Effect": "Deny"}, False),
        ({"Principal": {"Service": "events.amazonaws.com"}}, False),
        (
            {"Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "lambda:GetFunction"},
            False,
        ),
    ],
)
def test_whether_the_api_may_invoke(statement: dict[str, Any], may: bool) -> None:
    policy = {"Statement": [{"Effect": "Allow", "Action": "lambda:InvokeFunction", **statement}]}
    with stubbed("lambda") as (client, stubber):
        stubber.add_response(
            "get_policy",
            {"Policy": json.dumps(policy)},
            {"FunctionName": NAME, "Qualifier": "live"},
        )
        assert queries.api_may_invoke(client, NAME) is may


# --- parameter and table ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "digest"),
    [
        ({"packaging": "image", "pin": {"digest": "sha256:aa"}}, "sha256:aa"),
        ({"packaging": "zip"}, ""),
    ],
)
def test_what_was_released(value: dict[str, Any], digest: str) -> None:
    with stubbed("ssm") as (client, stubber):
        stubber.add_response("get_parameter", {"Parameter": {"Value": json.dumps(value)}})
        assert queries.released_digest(client, "/p") == digest


def test_a_table() -> None:
    with stubbed("dynamodb") as (client, stubber):
        stubber.add_response("describe_table", {"Table": {"TableStatus": "ACTIVE"}})
        assert queries.table_status(client, NAME) == "ACTIVE"


# --- CodeDeploy ---------------------------------------------------------------------------------


def test_the_newest_deployment_in_whatever_order_they_are_listed() -> None:
    infos = [
        {"deploymentId": "d-1", "status": "Succeeded", "createTime": NOW - timedelta(days=1)},
        {
            "deploymentId": "d-2",
            "status": "Failed",
            "createTime": NOW,
            "errorInformation": {"code": "HOOK_EXECUTION_FAILURE", "message": "it failed"},
        },
    ]
    with stubbed("codedeploy") as (client, stubber):
        stubber.add_response(
            "list_deployments",
            {"deployments": ["d-1", "d-2"]},
            {"applicationName": "a", "deploymentGroupName": "g"},
        )
        stubber.add_response(
            "batch_get_deployments",
            {"deploymentsInfo": infos},
            {"deploymentIds": ["d-1", "d-2"]},
        )
        assert queries.deployment(client, "a", "g") == DeploymentFacts(
            id="d-2", status="Failed", code="HOOK_EXECUTION_FAILURE", message="it failed"
        )


def test_no_deployment_yet() -> None:
    with stubbed("codedeploy") as (client, stubber):
        stubber.add_response("list_deployments", {"deployments": []})
        assert queries.deployment(client, "a", "g") is None


@pytest.mark.parametrize(
    ("configuration", "names"),
    [({"enabled": True, "alarms": [{"name": "errors-4"}]}, ("errors-4",)), (None, ())],
)
def test_the_alarms_that_stop_a_deployment(
    configuration: dict[str, Any] | None, names: tuple[str, ...]
) -> None:
    group = {"alarmConfiguration": configuration} if configuration else {}
    with stubbed("codedeploy") as (client, stubber):
        stubber.add_response(
            "get_deployment_group",
            {"deploymentGroupInfo": group},
            {"applicationName": "a", "deploymentGroupName": "g"},
        )
        assert queries.alarms_of(client, "a", "g") == names


def test_the_steps_of_a_deployment() -> None:
    target = {
        "lambdaFunctionInfo": {"targetVersion": "4", "currentVersion": "3"},
        "lifecycleEvents": [
            {
                "lifecycleEventName": "BeforeAllowTraffic",
                "status": "Failed",
                "diagnostics": {"message": "the hook failed"},
            },
            {"lifecycleEventName": "AllowTraffic", "status": "Skipped"},
        ],
    }
    with stubbed("codedeploy") as (client, stubber):
        stubber.add_response("list_deployment_targets", {"targetIds": ["t"]})
        stubber.add_response(
            "batch_get_deployment_targets",
            {
                "deploymentTargets": [
                    {"deploymentTargetType": "LambdaTarget", "lambdaTarget": target}
                ]
            },
            {"deploymentId": "d-2", "targetIds": ["t"]},
        )
        facts = queries.deployment_events(client, DeploymentFacts(id="d-2", status="Failed"))
    assert (facts.version, facts.status) == ("4", "Failed")
    assert facts.events == (
        LifecycleEvent("BeforeAllowTraffic", "Failed", "the hook failed"),
        LifecycleEvent("AllowTraffic", "Skipped"),
    )


# --- logs ---------------------------------------------------------------------------------------


def log_event(number: int, message: object, stream: str = "2026/11/25/[3]aa") -> dict[str, Any]:
    text = message if isinstance(message, str) else json.dumps(message)
    return {
        "eventId": str(number),
        "timestamp": MILLISECONDS + number,
        "message": text,
        "logStreamName": stream,
    }


def filtered(stubber: Stubber, *events: dict[str, Any], token: str | None = None) -> None:
    answer = {"events": list(events), **({"nextToken": token} if token else {})}
    stubber.add_response("filter_log_events", answer)


def test_lines_of_failures_once_each_and_in_order_of_time() -> None:
    late = log_event(9, "1-2 Task timed out after 20.00 seconds", "2026/11/25/[4]bb")
    early = log_event(1, {"errorType": "KeyError", "errorMessage": "'X'"})
    fine = log_event(5, {"level": "INFO", "status": 200})
    with stubbed("logs") as (client, stubber):
        filtered(stubber, late, fine, token="more")
        filtered(stubber, early)
        filtered(stubber, late)
        facts = log_queries.failure_lines(client, "/aws/lambda/f", 60)
    assert [(line.error_type, line.version) for line in facts.lines] == [
        ("KeyError", "3"),
        ("Sandbox.Timedout", "4"),
    ]
    assert facts.lines[0].time == "2026-11-25T01:00:00Z"


def test_the_log_is_asked_for_the_last_minutes_and_for_failures_alone() -> None:
    start = (datetime.now(UTC).timestamp() - 3600) * 1000
    asked: list[dict[str, Any]] = []

    class Logs:
        def filter_log_events(self, **arguments: Any) -> dict[str, Any]:
            asked.append(arguments)
            return {"events": []}

    log_queries.failure_lines(Logs(), "/aws/lambda/f", 60)

    assert {one["logGroupName"] for one in asked} == {"/aws/lambda/f"}
    assert all(abs(one["startTime"] - start) < 60_000 for one in asked)
    assert [one["filterPattern"][0] for one in asked] == ["{", "?"]


def test_a_log_without_an_end_is_read_to_a_bound() -> None:
    class Logs:
        pages = 0

        def filter_log_events(self, **_: Any) -> dict[str, Any]:
            self.pages += 1
            text = "1-2 Task timed out after 20.00 seconds"
            events = [log_event(self.pages * 1000 + n, text) for n in range(1000)]
            return {"events": events, "nextToken": "more"}

    logs = Logs()
    facts = log_queries.failure_lines(logs, "/aws/lambda/f", 60)

    assert logs.pages == 20
    assert len(facts.lines) == 500


def test_what_the_hook_said_of_that_deployment() -> None:
    def line(deployment_id: str, **more: str) -> dict[str, str]:
        return {"message": "pre-traffic hook", "deploymentId": deployment_id, **more}

    with stubbed("logs") as (client, stubber):
        filtered(
            stubber,
            log_event(
                1, line("d-2", status="Failed", step="create", found="Runtime.X: y", version="4")
            ),
            log_event(2, line("d-1", status="Succeeded")),
            log_event(3, "START"),
            log_event(4, ["d-2"]),
        )
        found = log_queries.hook_line(client, "/aws/lambda/hook", "d-2", 60)
        filtered(stubber)
        none = log_queries.hook_line(client, "/aws/lambda/hook", "d-2", 60)
    assert found == HookFacts("Failed", "create", "Runtime.X: y", "4")
    assert none is None


def test_the_access_log_of_the_api() -> None:
    denied = "The IAM role doesn't have permissions to call the integration"
    with stubbed("logs") as (client, stubber):
        filtered(
            stubber,
            log_event(1, {"status": "500", "integrationError": denied}),
            log_event(2, {"status": "500", "integrationError": denied}),
            log_event(3, {"status": "429", "integrationError": "-", "route": "POST /rooms"}),
            log_event(4, "no JSON"),
            *(
                log_event(
                    n, {"status": "429", "integrationStatus": "-", "route": "GET /rooms/{roomId}"}
                )
                for n in (5, 6)
            ),
            log_event(
                7, {"status": "429", "integrationStatus": "429", "route": "GET /rooms/{roomId}"}
            ),
        )
        assert log_queries.access_lines(client, "g", 60) == AccessFacts(
            {"500": 2, "429": 3}, (denied,), ("GET /rooms/{roomId}", "POST /rooms")
        )


# --- metrics ------------------------------------------------------------------------------------


def test_alarms_that_ring() -> None:
    alarm = {
        "AlarmName": "p-x",
        "StateValue": "ALARM",
        "StateReason": "3 points",
        "AlarmDescription": "what it means",
    }
    quiet = {"AlarmName": "p-z", "StateValue": "OK"}
    with stubbed("cloudwatch") as (client, stubber):
        stubber.add_response(
            "describe_alarms",
            {
                "MetricAlarms": [alarm, quiet],
                "CompositeAlarms": [{"AlarmName": "p-y", "StateValue": "ALARM"}],
            },
            {"AlarmNamePrefix": "p-", "StateValue": "ALARM"},
        )
        assert queries.ringing_alarms(client, "p") == (
            AlarmFacts("p-x", "3 points", "what it means"),
            AlarmFacts("p-y"),
        )


def test_throttled_invocations_of_live() -> None:
    with stubbed("cloudwatch") as (client, stubber):
        stubber.add_response(
            "get_metric_statistics",
            {"Datapoints": [{"Sum": 3.0}, {"Sum": 4.0}]},
            {
                "Namespace": "AWS/Lambda",
                "MetricName": "Throttles",
                "Dimensions": [
                    {"Name": "FunctionName", "Value": NAME},
                    {"Name": "Resource", "Value": f"{NAME}:live"},
                ],
                "StartTime": ANY,
                "EndTime": ANY,
                "Period": 3600,
                "Statistics": ["Sum"],
            },
        )
        assert queries.throttled_invocations(client, NAME, 60) == 7
