"""Invoke in the emulated account: the version that is asked for really runs."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.conftest import Client
from tests.support.local.emulated_functions import (
    ROLE,
    Resources,
    asset,
    deploy,
    function,
    invoke,
    log_lines,
    tail_of,
    wait_for_line,
    zipped,
)

ARN = "arn:aws:lambda:ap-northeast-1:123456789012:function:greeter"


def greeter(aws: Client, greeting: str, version: str, **properties: Any) -> Resources:
    code = f"""
        import os

        def handler(event, context):
            print("asked")
            return ["{greeting}", event, context.function_version, context.invoked_function_arn,
                    os.environ.get("WHOM")]
    """
    return {
        "Role": ROLE,
        "Function": function(aws, code, name="greeter", **properties),
        version: {
            "Type": "AWS::Lambda::Version",
            "Properties": {"FunctionName": {"Ref": "Function"}},
            "DeletionPolicy": "RetainExceptOnCreate",
        },
        "Live": {
            "Type": "AWS::Lambda::Alias",
            "Properties": {
                "FunctionName": {"Ref": "Function"},
                "FunctionVersion": {"Fn::GetAtt": [version, "Version"]},
                "Name": "live",
            },
        },
    }


def lone(aws: Client, code: str, **properties: Any) -> None:
    deploy(aws, {"Role": ROLE, "Function": function(aws, code, name="lone", **properties)})


def test_an_alias_a_number_and_neither_run_what_they_stand_for(aws: Client) -> None:
    deploy(aws, greeter(aws, "hello", "V1", Environment={"Variables": {"WHOM": "world"}}))
    deploy(aws, greeter(aws, "good evening", "V2"))
    assert invoke(aws, "greeter:1", 7) == ["hello", 7, "1", f"{ARN}:1", "world"]
    assert invoke(aws, "greeter", 7, Qualifier="live") == [
        *("good evening", 7, "2", f"{ARN}:live", None)
    ]
    assert invoke(aws, f"{ARN}:2", 7)[:3] == ["good evening", 7, "2"]
    assert invoke(aws, "greeter", 7)[2:4] == ["$LATEST", ARN]
    answer = aws("lambda").invoke(FunctionName="greeter:live")
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "2")
    assert "FunctionError" not in answer


@pytest.mark.proof
def test_an_alias_is_followed_when_it_moves_and_the_old_version_is_still_there(aws: Client) -> None:
    deploy(aws, greeter(aws, "one", "V1"))
    assert invoke(aws, "greeter:live")[0] == "one"
    deploy(aws, greeter(aws, "two", "V2"))
    assert invoke(aws, "greeter:live")[0] == "two"
    assert invoke(aws, "greeter:1")[0] == "one"


@pytest.mark.proof
def test_the_latest_code_runs_after_a_change_without_a_version(aws: Client) -> None:
    lone(aws, "def handler(event, context):\n    return 1")
    assert invoke(aws, "lone") == 1
    lone(aws, "def handler(event, context):\n    return 2")
    assert invoke(aws, "lone") == 2


@pytest.mark.proof
def test_code_in_the_template_itself_runs(aws: Client) -> None:
    inline = function(aws, "", name="lone", Handler="index.handler")
    inline["Properties"]["Code"] = {"ZipFile": "def handler(event, context):\n    return 'inline'"}
    deploy(aws, {"Role": ROLE, "Function": inline})
    assert invoke(aws, "lone") == "inline"


def test_a_layers_modules_are_found_and_a_new_layer_changes_the_function(aws: Client) -> None:
    def resources(word: str) -> Resources:
        content = asset(aws, zipped({"python/words.py": f"WORD = {word!r}"}))
        code = "from words import WORD\n\ndef handler(event, context):\n    return WORD"
        layer = {"Type": "AWS::Lambda::LayerVersion", "Properties": {"Content": content}}
        return {
            "Role": ROLE,
            "Layer": layer,
            "Function": function(aws, code, name="lone", Layers=[{"Ref": "Layer"}]),
        }

    deploy(aws, resources("first"))
    assert invoke(aws, "lone") == "first"
    deploy(aws, resources("second"))
    assert invoke(aws, "lone") == "second"


@pytest.mark.proof
def test_a_layer_for_another_python_leaves_its_packages_to_this_one(aws: Client) -> None:
    files = {"python/msgspec/__init__.py": "from ._core import x", "python/msgspec/_core.so": ""}
    foreign = {**files, "python/msgspec/_core.cpython-399-aarch64-linux-gnu.so": ""}
    code = "import msgspec\n\ndef handler(event, context):\n    return msgspec.__name__"
    layer = {
        "Type": "AWS::Lambda::LayerVersion",
        "Properties": {"Content": asset(aws, zipped(foreign))},
    }
    lone_ = function(aws, code, name="lone", Layers=[{"Ref": "Layer"}])
    deploy(aws, {"Role": ROLE, "Layer": layer, "Function": lone_})
    assert invoke(aws, "lone") == "msgspec"


@pytest.mark.proof
def test_aws_is_the_emulated_one_for_a_function(aws: Client) -> None:
    aws("ssm").put_parameter(Name="word", Value="found", Type="String")
    lone(
        aws,
        """
        import boto3

        def handler(event, context):
            return boto3.client("ssm").get_parameter(Name="word")["Parameter"]["Value"]
        """,
    )
    assert invoke(aws, "lone") == "found"


def test_an_exception_is_answered_as_lambda_does(aws: Client) -> None:
    lone(aws, "def handler(event, context):\n    raise ValueError('no ひま')")
    answer = aws("lambda").invoke(FunctionName="lone", LogType="Tail")
    payload = json.loads(answer["Payload"].read())
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert (payload["errorType"], payload["errorMessage"]) == ("ValueError", "no ひま")
    assert "in handler" in payload["stackTrace"][0]
    assert '"errorType":"ValueError"' in tail_of(answer)


@pytest.mark.proof
def test_a_module_that_is_missing_fails_every_invocation_and_says_so_in_the_log(
    aws: Client,
) -> None:
    lone(aws, "import nowhere")
    for _ in range(2):
        answer = aws("lambda").invoke(FunctionName="lone")
        assert json.loads(answer["Payload"].read())["errorType"] == "Runtime.ImportModuleError"
    records = [line["record"] for line in _platform(aws, "lone", "initReport")]
    assert [(r["status"], r["errorType"]) for r in records] == [
        ("error", "Runtime.ImportModuleError")
    ] * 2


@pytest.mark.proof
def test_a_timeout_ends_the_invocation(aws: Client) -> None:
    lone(aws, "import time\n\ndef handler(event, context):\n    time.sleep(60)", Timeout=1)
    answer = aws("lambda").invoke(FunctionName="lone")
    payload = json.loads(answer["Payload"].read())
    assert payload["errorType"] == "Sandbox.Timedout"
    assert payload["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")
    assert _platform(aws, "lone", "report")[0]["record"]["status"] == "timeout"


@pytest.mark.proof
def test_the_log_group_has_the_functions_lines_between_those_of_lambda(aws: Client) -> None:
    lone(aws, "def handler(event, context):\n    print('a word')", MemorySize=256)
    invoke(aws, "lone")
    wait_for_line(aws, "/aws/lambda/lone", "a word")
    lines = log_lines(aws, "/aws/lambda/lone")
    of_lambda = [line for line in lines if isinstance(line, dict)]
    init, start, done, report = of_lambda
    assert [line["type"].removeprefix("platform.") for line in of_lambda] == [
        *("initReport", "start", "runtimeDone", "report")
    ]
    assert lines.index("a word") > lines.index(start)
    assert init["record"]["status"] == done["record"]["status"] == "success"
    assert report["record"]["metrics"]["memorySizeMB"] == 256
    assert report["record"]["status"] == "success"
    request_id = report["record"]["requestId"]
    assert start["record"] == {"requestId": request_id, "version": "$LATEST"}


@pytest.mark.proof
def test_a_log_group_that_was_deleted_is_not_made_again_by_a_late_line(aws: Client) -> None:
    lone(aws, "def handler(event, context):\n    pass")
    invoke(aws, "lone")
    log_lines(aws, "/aws/lambda/lone")
    aws("logs").delete_log_group(logGroupName="/aws/lambda/lone")
    invoke(aws, "lone")
    assert aws("logs").describe_log_groups()["logGroups"] == []


@pytest.mark.proof
def test_text_logs_are_as_lambda_writes_them(aws: Client) -> None:
    lone(aws, "def handler(event, context):\n    pass", LoggingConfig={"LogFormat": "Text"})
    tail = tail_of(aws("lambda").invoke(FunctionName="lone", LogType="Tail"))
    assert "INIT_REPORT Init Duration: " in tail
    assert "START RequestId: " in tail
    assert "\nEND RequestId: " in tail
    assert "\nREPORT RequestId: " in tail


@pytest.mark.proof
def test_a_function_that_is_not_there_and_one_without_concurrency_are_refused(aws: Client) -> None:
    with pytest.raises(ClientError, match="Function not found: arn:aws:lambda:") as refusal:
        aws("lambda").invoke(FunctionName="nobody")
    assert refusal.value.response["Error"]["Code"] == "ResourceNotFoundException"
    code = "def handler(event, context):\n    pass"
    lone(aws, code, ReservedConcurrentExecutions=0)
    session = aws("lambda")
    session.meta.events.register("needs-retry.lambda.Invoke", lambda **_: None)
    with pytest.raises(ClientError, match="Rate Exceeded") as throttled:
        session.invoke(FunctionName="lone")
    assert throttled.value.response["Error"]["Code"] == "TooManyRequestsException"


def test_an_asynchronous_invocation_is_refused_rather_than_forgotten(aws: Client) -> None:
    lone(aws, "def handler(event, context):\n    pass")
    with pytest.raises(ClientError, match="no invocation type Event"):
        aws("lambda").invoke(FunctionName="lone", InvocationType="Event")


def _platform(aws: Client, name: str, kind: str) -> list[Any]:
    lines = log_lines(aws, f"/aws/lambda/{name}")
    return [
        line for line in lines if isinstance(line, dict) and line.get("type") == f"platform.{kind}"
    ]
