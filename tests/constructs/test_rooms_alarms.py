"""Alarms and dashboard, in the stack that wires them to the real resources."""

import json
from typing import Any

import pytest
from aws_cdk.assertions import Match, Template
from constructs.rooms_alarms import FAILED_INIT, SERVER_ERROR
from constructs.rooms_metrics import THROTTLED

from app import build_app
from tests.support.cdk_context import CDK_JSON, context


@pytest.fixture(scope="module")
def template() -> Template:
    app = build_app(context=context(stage="dev"))
    return Template.from_stack(app.node.find_child("hima-five-bomber-dev-rooms"))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def alarms(template: Template) -> dict[str, Any]:
    found = template.find_resources("AWS::CloudWatch::Alarm").values()
    return {_name(alarm["Properties"]): alarm["Properties"] for alarm in found}


def _name(alarm: dict[str, Any]) -> str:
    """Write an alarm's name out; the number of the new version is N."""
    match alarm["AlarmName"]:
        case {"Fn::Join": ["", [str(beginning), {"Fn::GetAtt": [_, "Version"]}]]}:
            return f"{beginning}N"
        case name:
            return str(name)


def test_there_is_an_alarm_for_each_way_to_fail(alarms: dict[str, Any]) -> None:
    assert set(alarms) == {
        f"hima-five-bomber-dev-{name}"
        for name in (
            "api-429",
            "api-4xx",
            "api-5xx",
            "api-latency-p99",
            "api-traffic",
            "function-concurrency",
            "function-duration-p99",
            "function-errors",
            "function-throttles",
            "init-failures",
            "table-system-errors",
            "table-throttles",
            "version-5xx-N",
            "version-errors-N",
        )
    }


def test_every_period_is_a_minute_and_silence_is_no_fault(alarms: dict[str, Any]) -> None:
    for alarm in alarms.values():
        periods = [
            metric["MetricStat"]["Period"]
            for metric in alarm.get("Metrics", [])
            if "MetricStat" in metric
        ]
        assert set(periods or [alarm["Period"]]) == {60}
        assert alarm["TreatMissingData"] == "notBreaching"


def test_every_alarm_notifies_when_it_begins_and_ends(
    template: Template, alarms: dict[str, Any]
) -> None:
    (topic,) = template.find_resources("AWS::SNS::Topic")
    for name, alarm in alarms.items():
        assert len(alarm["AlarmDescription"]) > 40
        if name.endswith("-N"):
            continue
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": topic}]


def test_alarms_of_a_version_send_no_notification(alarms: dict[str, Any]) -> None:
    stopping = [alarm for name, alarm in alarms.items() if name.endswith("-N")]
    assert len(stopping) == 2
    for alarm in stopping:
        assert (alarm["Threshold"], alarm["EvaluationPeriods"]) == (1, 1)
        assert "AlarmActions" not in alarm


def test_alarms_may_publish_and_nobody_may_without_tls(template: Template) -> None:
    template.has_resource_properties(
        "AWS::SNS::TopicPolicy",
        {
            "PolicyDocument": Match.object_like(
                {
                    "Statement": Match.array_with(
                        [
                            Match.object_like(
                                {
                                    "Effect": "Deny",
                                    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                                }
                            ),
                            Match.object_like(
                                {
                                    "Effect": "Allow",
                                    "Action": "sns:Publish",
                                    "Principal": {"Service": "cloudwatch.amazonaws.com"},
                                }
                            ),
                        ]
                    )
                }
            )
        },
    )


def test_the_functions_alarms_watch_the_alias_that_traffic_goes_to(alarms: dict[str, Any]) -> None:
    for name in ("errors", "throttles", "duration-p99"):
        dimensions = json.dumps(alarms[f"hima-five-bomber-dev-function-{name}"]["Dimensions"])
        assert '"Name": "Resource"' in dimensions
        assert ":live" in dimensions


def test_invocations_close_to_the_timeout_are_an_alarm(alarms: dict[str, Any]) -> None:
    assert alarms["hima-five-bomber-dev-function-duration-p99"]["Threshold"] == 16_000


def test_both_table_alarms_count_the_four_operations(alarms: dict[str, Any]) -> None:
    for name in ("throttles", "system-errors"):
        metrics = json.dumps(alarms[f"hima-five-bomber-dev-table-{name}"]["Metrics"])
        for operation in ("PutItem", "GetItem", "UpdateItem", "DeleteItem"):
            assert f'"Value": "{operation}"' in metrics


def test_the_tables_alarms_end_when_the_requests_do(alarms: dict[str, Any]) -> None:
    for name in ("throttles", "system-errors"):
        metrics = alarms[f"hima-five-bomber-dev-table-{name}"]["Metrics"]
        (expression,) = [metric["Expression"] for metric in metrics if "Expression" in metric]
        assert expression.count("FILL(") == expression.count(", 0)") == 4


def test_every_start_that_fails_is_counted_and_one_is_enough(
    template: Template, alarms: dict[str, Any]
) -> None:
    by_name, by_report = [
        found["Properties"]
        for found in template.find_resources("AWS::Logs::MetricFilter").values()
        if found["Properties"]["FilterPattern"] not in (SERVER_ERROR, THROTTLED)
    ]
    for error_type in ("Runtime.InvalidEntrypoint", "Runtime.ImportModuleError", "Runtime.Unknown"):
        assert f'?"{error_type}"' in by_name["FilterPattern"]
    assert by_report["FilterPattern"] == FAILED_INIT
    alarm = alarms["hima-five-bomber-dev-init-failures"]
    for metric_filter in (by_name, by_report):
        (transformation,) = metric_filter["MetricTransformations"]
        assert (alarm["Namespace"], alarm["MetricName"]) == (
            transformation["MetricNamespace"],
            transformation["MetricName"],
        )
    assert (alarm["Threshold"], alarm["EvaluationPeriods"]) == (1, 1)


def test_errors_of_a_version_are_those_that_it_gives_to_the_aliass_callers(
    template: Template, alarms: dict[str, Any]
) -> None:
    (version,) = template.find_resources("AWS::Lambda::Version")
    (function,) = (
        name
        for name, found in template.find_resources("AWS::Lambda::Function").items()
        if name.startswith("Function")
    )
    alarm = alarms["hima-five-bomber-dev-version-errors-N"]
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/Lambda", "Errors")
    assert alarm["Dimensions"] == [
        {"Name": "ExecutedVersion", "Value": {"Fn::GetAtt": [version, "Version"]}},
        {"Name": "FunctionName", "Value": {"Ref": function}},
        {"Name": "Resource", "Value": {"Fn::Join": ["", [{"Ref": function}, ":live"]]}},
    ]


def test_server_errors_of_a_version_are_counted_from_its_log_lines(
    template: Template, alarms: dict[str, Any]
) -> None:
    """The field names are those that the function writes: tests/lambda_src/rooms/test_router.py."""
    (counted,) = (
        found["Properties"]["MetricTransformations"][0]
        for found in template.find_resources("AWS::Logs::MetricFilter").values()
        if found["Properties"]["FilterPattern"] == SERVER_ERROR
    )
    assert SERVER_ERROR == '{ $.message = "request" && $.status >= 500 }'
    assert counted["Dimensions"] == [{"Key": "Version", "Value": "$.version"}]
    assert "DefaultValue" not in counted, "CloudWatch refuses it next to dimensions"
    alarm = alarms["hima-five-bomber-dev-version-5xx-N"]
    assert (alarm["Namespace"], alarm["MetricName"]) == (
        counted["MetricNamespace"],
        counted["MetricName"],
    )
    assert [dimension["Name"] for dimension in alarm["Dimensions"]] == ["Version"]


def alarms_with(**settings: Any) -> dict[str, Any]:
    """Return the alarms of stage dev with some settings changed."""
    stages = CDK_JSON["context"]["stages"]
    changed = {**stages, "dev": {**stages["dev"], **settings}}
    app = build_app(context=context(stage="dev", stages=changed))
    rooms = Template.from_stack(app.node.find_child("hima-five-bomber-dev-rooms"))  # type: ignore[arg-type]
    found = rooms.find_resources("AWS::CloudWatch::Alarm").values()
    return {_name(alarm["Properties"]): alarm["Properties"] for alarm in found}


@pytest.mark.proof
def test_alarms_on_traffic_follow_from_what_a_route_lets_through() -> None:
    for per_second in (100, 1000):
        alarms = alarms_with(requestsPerSecond=per_second)
        thresholds = [
            alarms[f"hima-five-bomber-dev-{name}"]["Threshold"]
            for name in ("api-4xx", "api-traffic", "function-concurrency")
        ]
        assert thresholds == [6 * per_second, 30 * per_second, 0.16 * per_second]


@pytest.mark.proof
def test_a_reservation_is_what_concurrency_is_measured_against() -> None:
    alarm = alarms_with(reservedConcurrency=50)["hima-five-bomber-dev-function-concurrency"]
    assert (alarm["Threshold"], alarm["Statistic"]) == (40, "Maximum")


def test_only_what_the_api_itself_refuses_counts_as_throttled(
    template: Template, alarms: dict[str, Any]
) -> None:
    """The fields are strings in the access log, and the function may answer 429 itself."""
    (counted,) = (
        found["Properties"]
        for found in template.find_resources("AWS::Logs::MetricFilter").values()
        if found["Properties"]["FilterPattern"] == THROTTLED
    )
    assert THROTTLED == '{ $.status = "429" && $.integrationStatus != "429" }'
    (log_group,) = (
        name
        for name, found in template.find_resources("AWS::Logs::LogGroup").items()
        if found["Properties"]["LogGroupName"].startswith("/aws/vendedlogs/apis/")
    )
    assert counted["LogGroupName"] == {"Ref": log_group}
    (transformation,) = counted["MetricTransformations"]
    alarm = alarms["hima-five-bomber-dev-api-429"]
    assert (alarm["Namespace"], alarm["MetricName"]) == (
        transformation["MetricNamespace"],
        transformation["MetricName"],
    )
