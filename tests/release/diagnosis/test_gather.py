"""Gathering from an account as moto has it; what moto lacks is put in between."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

from config.image_lock import ImagePin, write_image_lock
from config.project import Project
from imagecheck.errors import FailedError
from imagecheck.function import Function
from imagecheck.image.errors import ImageReadError
from imagecheck.image.reference import RegistryReference
from release.diagnosis.diagnose import diagnose
from release.diagnosis.facts import (
    ABSENT,
    AliasFacts,
    DeploymentFacts,
    FunctionFacts,
    LogFacts,
    Override,
    StackFacts,
    StageFacts,
)
from release.diagnosis.gather import Question, gather
from release.diagnosis.image_facts import ImageFacts
from release.diagnosis.images import function_of
from release.diagnosis.outcome import Answered
from tests.support.release.diagnosis_clients import client_of
from tests.support.release.diagnosis_situations import (
    BAD,
    FUNCTION,
    GOOD,
    NAME,
    PIN,
    REPOSITORY,
    STAGE,
    image,
)
from tests.support.sampling import mostly_proofs

NAMES = STAGE.names
OUTPUTS = {
    "FunctionName": NAME,
    "DeploymentApplication": "application",
    "DeploymentGroup": "group",
    "HookLogGroup": "/aws/lambda/hook",
}
FINE = {"statusCode": 404, "headers": {}, "body": '{"error": {"code": "NOT_FOUND"}}'}
APIGATEWAY = "apigateway.amazonaws.com"


@dataclass
class Account:
    """moto's account, and what stands between it and who asks.

    ``answers`` and ``pages`` give operations an answer, ``denied`` are those that the credentials
    may not do.
    """

    answers: dict[str, Callable[..., Any]] = field(default_factory=dict)
    pages: dict[str, list[Any]] = field(default_factory=dict)
    denied: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    patience: dict[str, float | None] = field(default_factory=dict)
    is_reachable: bool = True

    def clients(self, service: str, *, once_within: float | None = None) -> Any:
        self.patience[service] = once_within
        return _Client(self, client_of(service))


class _Client:
    def __init__(self, account: Account, client: Any) -> None:
        self._account = account
        self._client = client

    def get_paginator(self, operation: str) -> Any:
        self._note(operation)
        if pages := self._account.pages.get(operation):
            return _Pages(pages)
        return self._client.get_paginator(operation)

    def __getattr__(self, operation: str) -> Any:
        self._note(operation)
        answer = self._account.answers.get(operation)
        return answer or getattr(self._client, operation)

    def _note(self, operation: str) -> None:
        self._account.asked.append(operation)
        if not self._account.is_reachable:
            raise EndpointConnectionError(endpoint_url="https://lambda")
        if operation in self._account.denied:
            error: Any = {"Code": "AccessDeniedException", "Message": "arn:aws:iam::0:user/secret"}
            raise ClientError({"Error": error}, operation)


@dataclass
class _Pages:
    pages: list[Any]

    def paginate(self, **_: Any) -> list[Any]:
        return self.pages


class _Payload:
    def __init__(self, content: object) -> None:
        self._content = json.dumps(content).encode()

    def read(self) -> bytes:
        return self._content


@pytest.fixture
def account() -> Iterator[Account]:
    """A stage that works."""
    with mock_aws():
        _deploy()
        limit = {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000}
        one = Account(
            answers={
                "invoke": lambda **_: {"Payload": _Payload(FINE)},
                "get_account_settings": lambda: {"AccountLimit": limit},
            }
        )
        _name_image(one, f"{REPOSITORY}@{GOOD}")
        yield one


def _deploy() -> None:
    template = {
        "Resources": {"T": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {name: {"Value": value} for name, value in OUTPUTS.items()},
    }
    client_of("cloudformation").create_stack(
        StackName=NAMES.rooms_stack, TemplateBody=json.dumps(template)
    )
    iam = client_of("iam")
    role = iam.create_role(RoleName="rooms-role", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    functions = client_of("lambda")
    functions.create_function(
        FunctionName=NAME,
        Role=role,
        PackageType="Image",
        Code={"ImageUri": f"{REPOSITORY}@{GOOD}"},
        Architectures=["arm64"],
        MemorySize=512,
        Timeout=20,
        Environment={"Variables": {"ROOMS_TABLE": NAMES.table}},
    )
    version = functions.publish_version(FunctionName=NAME)["Version"]
    functions.create_alias(FunctionName=NAME, Name="live", FunctionVersion=version)
    functions.add_permission(
        FunctionName=NAME,
        Qualifier="live",
        StatementId="api",
        Action="lambda:InvokeFunction",
        Principal=APIGATEWAY,
    )
    logs = client_of("logs")
    for group in (
        f"/aws/lambda/{NAME}",
        "/aws/lambda/hook",
        f"/aws/vendedlogs/apis/{NAMES.prefix}-rooms",
    ):
        logs.create_log_group(logGroupName=group)
    client_of("dynamodb").create_table(
        TableName=NAMES.table,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    client_of("ssm").put_parameter(
        Name=NAMES.release_parameter,
        Type="String",
        Value=json.dumps({"packaging": "image", "pin": {"digest": GOOD}}),
    )
    codedeploy = client_of("codedeploy")
    codedeploy.create_application(applicationName="application", computePlatform="Lambda")
    codedeploy.create_deployment_group(
        applicationName="application", deploymentGroupName="group", serviceRoleArn=role
    )


def _name_image(account: Account, image: str) -> None:
    """moto cuts the image's name at its first colon."""
    client = client_of("lambda")

    def get_function(**arguments: Any) -> Any:
        answer = client.get_function(**arguments)
        answer["Code"]["ResolvedImageUri"] = image
        return answer

    account.answers["get_function"] = get_function


def _take_back(account: Account, image: str) -> None:
    """What CloudFormation says of a deployment that it has taken back."""

    def event(logical_id: str, status: str, type_: str, **more: str) -> dict[str, Any]:
        return {
            "LogicalResourceId": logical_id,
            "ResourceType": type_,
            "ResourceStatus": status,
            **more,
        }

    stack, function = "AWS::CloudFormation::Stack", "AWS::Lambda::Function"
    brought = {"ResourceProperties": json.dumps({"Code": {"ImageUri": image}})} if image else {}
    page = {
        "StackEvents": [
            event(NAMES.rooms_stack, "UPDATE_ROLLBACK_COMPLETE", stack),
            event("Live", "UPDATE_FAILED", "AWS::Lambda::Alias"),
            event("Function", "UPDATE_IN_PROGRESS", function, **brought),
            event(NAMES.rooms_stack, "UPDATE_IN_PROGRESS", stack),
        ]
    }
    outputs = [{"OutputKey": name, "OutputValue": value} for name, value in OUTPUTS.items()]
    found = {"StackStatus": "UPDATE_ROLLBACK_COMPLETE", "Outputs": outputs}
    account.answers["describe_stacks"] = lambda **_: {"Stacks": [found]}
    account.pages["describe_stack_events"] = [page]


def _fail_deployment(
    account: Account, version: str = "4", code: str = "HOOK_EXECUTION_FAILURE"
) -> None:
    """What moto's CodeDeploy does not play: a deployment for a function that failed."""
    info = {
        "deploymentId": "d-NEW",
        "status": "Failed",
        "createTime": datetime.now(UTC),
        "errorInformation": {"code": code, "message": "it failed"},
    }
    target = {
        "lambdaFunctionInfo": {"targetVersion": version},
        "lifecycleEvents": [{"lifecycleEventName": "BeforeAllowTraffic", "status": "Failed"}],
    }
    account.answers |= {
        "list_deployments": lambda **_: {"deployments": ["d-NEW"]},
        "batch_get_deployments": lambda **_: {"deploymentsInfo": [info]},
        "list_deployment_targets": lambda **_: {"targetIds": ["t"]},
        "batch_get_deployment_targets": lambda **_: {
            "deploymentTargets": [{"lambdaTarget": target}]
        },
    }


def _log(group: str, *lines: str, stream: str = "2026/11/25/[1]aa") -> None:
    logs = client_of("logs")
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    now = int(datetime.now(UTC).timestamp() * 1000)
    logs.put_log_events(
        logGroupName=group,
        logStreamName=stream,
        logEvents=[{"timestamp": now, "message": line} for line in lines],
    )


def fine(reference: RegistryReference, _function: Function) -> ImageFacts:
    return ImageFacts(str(reference).removeprefix("docker://"), (), ("/lambda-entrypoint.sh",))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    one = Project(tmp_path, {"imageLock": "image-lock.json", "stages": {}})
    write_image_lock(one.lock, {"dev": PIN})
    return one


Check = Callable[[RegistryReference, Function], ImageFacts]


def gathered(
    project: Project, account: Account, *, invoke: bool = True, check: Check = fine
) -> StageFacts:
    question = Question(minutes=60, invoke=invoke)
    return gather(project, STAGE, question, clients=account.clients, check=check)


def test_a_stage_that_works(project: Project, account: Account) -> None:
    facts = gathered(project, account)

    assert facts.unread == ()
    assert isinstance(facts.stack, StackFacts)
    assert facts.stack.status == "CREATE_COMPLETE"
    assert isinstance(facts.live, FunctionFacts)
    assert (facts.live.version, facts.live.digest, facts.live.architecture) == ("1", GOOD, "arm64")
    assert isinstance(facts.latest, FunctionFacts)
    assert facts.latest.version == "$LATEST"
    assert facts.alias == AliasFacts("1")
    assert facts.api_may_invoke is True
    assert (facts.table, facts.released, facts.pin) == ("ACTIVE", GOOD, PIN)
    assert facts.live_image == ImageFacts(f"{REPOSITORY}@{GOOD}", (), ("/lambda-entrypoint.sh",))
    assert facts.deployment is ABSENT
    assert facts.logs == LogFacts(60)
    assert (facts.alarms, facts.throttled) == ((), 0)
    assert facts.invocation == Answered(404, "NOT_FOUND")
    assert diagnose(facts).verdict == "works"


def test_nothing_is_changed(project: Project, account: Account) -> None:
    gathered(project, account)

    reading = ("get_", "describe_", "list_", "batch_get_", "filter_", "invoke")
    assert account.asked
    assert all(operation.startswith(reading) for operation in account.asked)


def test_the_invocation_is_waited_for_as_long_as_it_may_take(
    project: Project, account: Account
) -> None:
    gathered(project, account)

    assert account.patience["lambda"] == 20 + 30


def test_without_leave_nothing_is_invoked(project: Project, account: Account) -> None:
    facts = gathered(project, account, invoke=False)

    assert "invoke" not in account.asked
    assert diagnose(facts).verdict == "nothing found"


def test_the_throttled_function_is_found(project: Project, account: Account) -> None:
    client_of("lambda").put_function_concurrency(FunctionName=NAME, ReservedConcurrentExecutions=0)
    assert diagnose(gathered(project, account)).causes[0].name == "concurrency-zero"


def test_lines_of_the_log_are_found(project: Project, account: Account) -> None:
    _log(f"/aws/lambda/{NAME}", "START", "1-2 Task timed out after 20.00 seconds")

    assert diagnose(gathered(project, account)).causes[0].name == "timeout"


def test_an_api_without_permission_is_found(project: Project, account: Account) -> None:
    client_of("lambda").remove_permission(FunctionName=NAME, StatementId="api", Qualifier="live")
    facts = gathered(project, account)

    assert facts.api_may_invoke is False
    assert diagnose(facts).causes[0].name == "api-not-allowed"


def test_an_image_that_cannot_start_is_found(project: Project, account: Account) -> None:
    error = {"errorType": "Runtime.InvalidEntrypoint", "errorMessage": "ProcessSpawnFailed"}
    account.answers["invoke"] = lambda **_: {
        "Payload": _Payload(error),
        "FunctionError": "Unhandled",
    }

    facts = gathered(project, account, check=lambda *_: image("C1"))

    assert diagnose(facts).causes[0].name == "image-c1"


def test_a_version_that_was_refused_is_looked_at(project: Project, account: Account) -> None:
    """CloudFormation has taken it back, but has said which image it had; the lock is put back."""
    _fail_deployment(account)
    _take_back(account, f"{REPOSITORY}@{BAD}")
    line = {
        "message": "pre-traffic hook",
        "deploymentId": "d-NEW",
        "status": "Failed",
        "step": "create",
        "found": "Runtime.InvalidEntrypoint: ProcessSpawnFailed",
    }
    _log("/aws/lambda/hook", json.dumps(line))
    looked_at = []

    def check(reference: RegistryReference, function: Function) -> ImageFacts:
        looked_at.append(reference.digest)
        return image("C2") if reference.digest == BAD else fine(reference, function)

    facts = gathered(project, account, check=check)

    assert facts.refused is ABSENT
    assert isinstance(facts.deployment, DeploymentFacts)
    assert facts.deployment.version == "4"
    assert looked_at == [GOOD, BAD]
    assert facts.unread == ()
    assert diagnose(facts).verdict == "works"
    wanted = replace(facts, pin=replace_digest(BAD))
    first = diagnose(wanted).causes[0]
    assert first.name == "refused-image-c2"
    assert "ProcessSpawnFailed" in " ".join(evidence.text for evidence in first.evidence)


def test_what_the_lock_pins_is_not_taken_for_what_was_refused(
    project: Project, account: Account
) -> None:
    """It may be the fix, or what was before."""
    _fail_deployment(account)
    _take_back(account, "")
    write_image_lock(project.lock, {"dev": replace_digest(BAD)})

    facts = gathered(project, account)

    assert facts.refused_image is None
    [unknown] = facts.unread
    assert unknown.source == "image of the refused version"
    assert diagnose(facts).verdict == "broken"


def test_a_refused_version_of_the_same_image_is_not_checked_twice(
    project: Project, account: Account
) -> None:
    _fail_deployment(account)
    _take_back(account, f"{REPOSITORY}@{GOOD}")

    facts = gathered(project, account)

    assert (facts.refused_image, facts.unread) == (None, ())


def test_a_refusal_that_the_stack_has_moved_on_from_is_not_looked_for(
    project: Project, account: Account
) -> None:
    _fail_deployment(account)

    facts = gathered(project, account)

    assert (facts.refused_image, facts.unread) == (None, ())


def test_the_alarms_of_the_deployment_group_are_asked_for_where_one_stopped_it(
    project: Project, account: Account
) -> None:
    _fail_deployment(account, code="ALARM_ACTIVE")
    info = {"alarmConfiguration": {"alarms": [{"name": "errors-4"}]}}
    account.answers["get_deployment_group"] = lambda **_: {"deploymentGroupInfo": info}

    facts = gathered(project, account)

    assert isinstance(facts.deployment, DeploymentFacts)
    assert facts.deployment.alarms == ("errors-4",)
    assert facts.deployment.version == "4"
    account.denied = {"get_deployment_group"}
    denied = gathered(project, account)
    assert isinstance(denied.deployment, DeploymentFacts)
    assert denied.deployment.alarms == ()
    assert "alarms of the deployment group" in [one.source for one in denied.unread]


def test_of_a_hook_that_never_reported_the_failures_in_its_log_are_read(
    project: Project, account: Account
) -> None:
    _fail_deployment(account)
    _take_back(account, f"{REPOSITORY}@{BAD}")
    _log(
        "/aws/lambda/hook",
        '{"message": "pre-traffic hook", "deploymentId": "d-OLD", "status": "Failed"}',
        "2026-11-25T01:00:00Z 1-2 Task timed out after 180.00 seconds",
    )
    facts = gathered(project, account)

    assert facts.hook
    assert facts.hook.status == ""
    assert [one.error_type for one in facts.hook.lines] == ["Sandbox.Timedout"]
    assert diagnose(replace(facts, pin=replace_digest(BAD))).causes[0].name == "hook-silent"


def test_the_refused_version_is_known_from_the_hook_where_the_steps_may_not_be_seen(
    project: Project, account: Account
) -> None:
    _fail_deployment(account)
    account.denied = {"list_deployment_targets"}
    line = {"message": "pre-traffic hook", "deploymentId": "d-NEW", "version": "9"}
    _log("/aws/lambda/hook", json.dumps({**line, "status": "Failed"}))

    facts = gathered(project, account)

    assert isinstance(facts.deployment, DeploymentFacts)
    assert facts.deployment.version == "9"


def test_a_stage_that_was_never_deployed(project: Project) -> None:
    with mock_aws():
        account = Account()
        facts = gathered(project, account)

    assert (facts.stack, facts.latest, facts.table) == (ABSENT, ABSENT, ABSENT)
    assert "invoke" not in account.asked
    assert diagnose(facts).causes[0].name == "never-deployed"


SOURCES = {
    "describe_stacks": "stack",
    "describe_stack_events": "events of stack",
    "get_alias": "alias live",
    "get_function_concurrency": "concurrency",
    "get_account_settings": "account's concurrency",
    "get_policy": "policy of live",
    "list_deployments": "deployments of CodeDeploy",
    "batch_get_deployments": "deployments of CodeDeploy",
    "list_deployment_targets": "steps of deployment d-NEW",
    "filter_log_events": "log of",
    "describe_alarms": "alarms",
    "get_metric_statistics": "metric Throttles",
    "describe_table": "table",
    "get_parameter": "parameter",
    "invoke": "invocation of live",
    "get_function": "function live",
}


@pytest.mark.parametrize("operation", mostly_proofs(SOURCES))
def test_what_may_not_be_asked_is_said_and_the_rest_still_answers(
    project: Project, account: Account, operation: str
) -> None:
    _fail_deployment(account)
    client_of("lambda").put_function_concurrency(FunctionName=NAME, ReservedConcurrentExecutions=0)
    account.denied = {operation}

    facts = gathered(project, account)

    denied = [one for one in facts.unread if one.source.startswith(SOURCES[operation])]
    assert denied
    assert all(
        "the AWS credentials may not do" in one.why or "only the stack" in one.why for one in denied
    )
    assert not [one for one in facts.unread if "secret" in one.why]
    names = [cause.name for cause in diagnose(facts).causes]
    assert ("concurrency-zero" in names) is (operation != "get_function_concurrency")


def test_every_operation_is_among_those_that_were_denied(
    project: Project, account: Account
) -> None:
    _fail_deployment(account)
    gathered(project, account)

    assert set(account.asked) == {*SOURCES, "batch_get_deployment_targets"}


def test_who_may_see_nothing_but_the_stack_is_not_told_that_it_works(
    project: Project, account: Account
) -> None:
    account.denied = set(SOURCES) - {"describe_stacks"}

    assert diagnose(gathered(project, account)).verdict == "unknown"


def test_nothing_to_be_seen_is_said_once(project: Project, account: Account) -> None:
    account.is_reachable = False

    with pytest.raises(
        FailedError, match="no source of dev could be read: AWS cannot be"
    ) as caught:
        gathered(project, account)
    assert "\n" not in str(caught.value)


def test_credentials_that_are_missing_are_said_once(project: Project) -> None:
    def clients(service: str, **_: float | None) -> Any:
        raise FailedError(f"{service}: no AWS credentials are found")

    question = Question(minutes=60, invoke=True)
    with pytest.raises(
        FailedError, match=r"^no source of dev could be read: no AWS credentials are found$"
    ):
        gather(project, STAGE, question, clients=clients, check=fine)


def test_an_image_that_may_not_be_read_leaves_the_rest(project: Project, account: Account) -> None:
    def check(_reference: RegistryReference, _function: Function) -> ImageFacts:
        raise ImageReadError("the AWS credentials may not do ecr:BatchGetImage")

    facts = gathered(project, account, check=check)

    assert facts.live_image is None
    assert [one.source for one in facts.unread] == [f"image {GOOD[:19]}…"]
    assert diagnose(facts).verdict == "works"


def test_an_answer_of_another_form_leaves_the_rest(project: Project, account: Account) -> None:
    account.answers["describe_table"] = lambda **_: {"Table": {}}

    facts = gathered(project, account)

    assert [one.source for one in facts.unread] == [f"table {NAMES.table}"]
    assert diagnose(facts).verdict == "works"


def test_a_lock_file_that_cannot_be_read_leaves_the_rest(
    project: Project, account: Account
) -> None:
    project.lock.write_text("{")

    facts = gathered(project, account)

    assert [one.source for one in facts.unread] == ["lock file"]
    assert diagnose(facts).verdict == "works"


def test_the_zip_is_found_where_the_stack_cannot_be_seen(
    project: Project, account: Account
) -> None:
    functions = client_of("lambda")
    role = functions.get_function(FunctionName=NAME)["Configuration"]["Role"]
    functions.delete_function(FunctionName=NAME)
    functions.create_function(
        FunctionName=NAMES.zip_function,
        Role=role,
        Runtime="python3.13",
        Handler="rooms.main.handler",
        Code={"ZipFile": b"PK\x05\x06" + bytes(18)},
    )
    account.denied = {"describe_stacks"}
    del account.answers["get_function"]

    facts = gathered(project, account)

    assert facts.function_name == NAMES.zip_function
    assert isinstance(facts.latest, FunctionFacts)
    assert facts.latest.package == "Zip"


def test_the_image_is_checked_for_the_function_as_it_is_configured() -> None:
    override = Override(("",), ("other.handler",), "/x")

    function = function_of(replace(FUNCTION, architecture="x86_64", override=override))

    assert function.architecture == "x86_64"
    assert (function.entrypoint, function.command) == (("",), ("other.handler",))
    assert function.workdir == "/x"
    assert function.environment["ROOMS_TABLE"] == NAMES.table


def test_what_only_the_override_makes_is_told_from_what_the_image_has(
    project: Project, account: Account
) -> None:
    original = account.answers["get_function"]

    def get_function(**arguments: Any) -> Any:
        answer = original(**arguments)
        config = {"ImageConfig": {"EntryPoint": [""]}}
        answer["Configuration"]["ImageConfigResponse"] = config
        return answer

    account.answers["get_function"] = get_function
    [own], [made] = image("E3").findings, image("C14").findings

    def check(_: RegistryReference, function: Function) -> ImageFacts:
        findings = (made, own) if function.entrypoint else (own,)
        return ImageFacts(f"{REPOSITORY}@{GOOD}", findings)

    facts = gathered(project, account, check=check)

    assert facts.live_image
    assert (facts.live_image.findings, facts.live_image.by_override) == ((own,), (made,))


def replace_digest(digest: str) -> ImagePin:
    return msgspec.structs.replace(PIN, digest=digest)
