"""StageFacts of a stage that works, and what is different about it in each situation."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from config.image_lock import ImagePin
from config.names import StageNames
from config.project import Stage
from config.settings import StageSettings
from imagecheck.envelope import envelope
from release.diagnosis.diagnose import Diagnosis
from release.diagnosis.facts import (
    ABSENT,
    AccessFacts,
    AlarmFacts,
    AliasFacts,
    Concurrency,
    DeploymentFacts,
    FailedResource,
    FunctionFacts,
    HookFacts,
    LifecycleEvent,
    LogFacts,
    Override,
    StackFacts,
    StageFacts,
)
from release.diagnosis.image_facts import ImageFacts
from release.diagnosis.log_lines import Line, read_line
from release.diagnosis.outcome import Answered, Failed, Silent, TurnedAway
from release.diagnosis.report import result_of
from tests.support.imagecheck.findings import error

STAGE = Stage(
    StageNames("dev"),
    StageSettings(
        region="ap-northeast-1",
        retain_data=False,
        log_retention="ONE_WEEK",
        architecture="arm64",
        memory_mb=512,
        timeout_seconds=20,
        allowed_origins=["*"],
        requests_per_second=50,
        requests_burst=100,
    ),
)
NAME = STAGE.names.function
REPOSITORY = f"123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/{STAGE.names.repository}"
GOOD, BAD = ("sha256:" + digit * 64 for digit in "ab")
PIN = ImagePin(
    digest=GOOD,
    architecture="arm64",
    base_digest=f"sha256:{'c' * 64}",
    source_revision="0" * 40,
    pinned_at="2026-11-01T00:00:00Z",
)
BAD_PIN = msgspec.structs.replace(PIN, digest=BAD)
FUNCTION = FunctionFacts(
    version="3",
    image=f"{REPOSITORY}@{GOOD}",
    variables={"ROOMS_TABLE": STAGE.names.table, "API_TOKEN": "hunter2-hunter2"},
    role="arn:aws:iam::123456789012:role/rooms-role",
)
IMAGE = ImageFacts(FUNCTION.image, (), ("/lambda-entrypoint.sh", "rooms.main.handler"))
WORKS = StageFacts(
    stage=STAGE,
    function_name=NAME,
    pin=PIN,
    released=GOOD,
    stack=StackFacts("UPDATE_COMPLETE", {"FunctionName": NAME}),
    latest=replace(FUNCTION, version="$LATEST"),
    live=FUNCTION,
    alias=AliasFacts("3"),
    concurrency=Concurrency(None, 1000, 1000),
    api_may_invoke=True,
    table="ACTIVE",
    live_image=IMAGE,
    deployment=DeploymentFacts(id="d-OLD", status="Succeeded", version="3"),
    logs=LogFacts(60),
    access=AccessFacts(),
    alarms=(),
    throttled=0,
    invocation=Answered(404, "NOT_FOUND"),
)
ENTRYPOINT_TEXT = (
    "RequestId: 6da64f80-0eb1 Error: fork/exec /lambda-entrypoint.sh: exec format error\n"
    "Runtime.InvalidEntrypoint"
)
NOISE = (
    # Of versions that are not live, and so of nobody's concern.
    "RequestId: 0-1 Error: Runtime exited with error: signal: killed\nRuntime.ExitError",
    "[ERROR] Runtime.HandlerNotFound: Handler 'x' missing on module 'y'",
    ENTRYPOINT_TEXT,
)


def line(text: str, version: str = "3") -> Line:
    found = read_line(text, time="2026-11-25T01:00:00Z", version=version)
    assert found
    return found


def logs(*texts: str, version: str = "3") -> LogFacts:
    return LogFacts(60, tuple(line(text, version) for text in texts))


def image(rule: str, found: str = "found so", fix: str = "mend it", **more: Any) -> ImageFacts:
    return replace(IMAGE, findings=(error(rule, found, fix, **more),))


def fails(type_: str, message: str = "", **facts: Any) -> Callable[[StageFacts], StageFacts]:
    return lambda works: replace(works, invocation=Failed(type_, message), **facts)


def changed(**facts: Any) -> Callable[[StageFacts], StageFacts]:
    return lambda works: replace(works, **facts)


def live(invocation: Any = None, **function: Any) -> Callable[[StageFacts], StageFacts]:
    return lambda works: replace(
        works,
        live=replace(FUNCTION, **function),
        invocation=invocation or TurnedAway("ResourceConflictException", "", "not Active"),
    )


def server_error(
    status: int, code: str, cause: str, **facts: Any
) -> Callable[[StageFacts], StageFacts]:
    text = (
        f'{{"timestamp": "2026-11-25T01:00:00Z", "level": "ERROR", "message": "request",'
        f' "route": "GET /rooms/{{roomId}}", "code": "{code}", "cause": "{cause}",'
        f' "status": {status}}}'
    )
    return lambda works: replace(works, invocation=Answered(status, code, (line(text),)), **facts)


def refused(
    found: str, image: ImageFacts | None = None, **facts: Any
) -> Callable[[StageFacts], StageFacts]:
    return lambda works: replace(
        works,
        stack=StackFacts(
            "UPDATE_ROLLBACK_COMPLETE",
            {},
            "",
            (
                FailedResource(
                    "FunctionLive",
                    "AWS::Lambda::Alias",
                    "UPDATE_FAILED",
                    "CodeDeploy deployment d-NEW has failed",
                ),
            ),
        ),
        deployment=DeploymentFacts(
            id="d-NEW",
            status="Failed",
            code="HOOK_EXECUTION_FAILURE",
            message="BeforeAllowTraffic failed",
            version="4",
            events=(LifecycleEvent("BeforeAllowTraffic", "Failed"),),
        ),
        hook=HookFacts("Failed", "create", found),
        pin=BAD_PIN,
        refused=replace(FUNCTION, version="4", image=f"{REPOSITORY}@{BAD}"),
        refused_image=image and replace(image, reference=f"{REPOSITORY}@{BAD}"),
        **facts,
    )


@dataclass(frozen=True)
class Situation:
    name: str
    facts: StageFacts
    first: str
    """The name of the cause that has to come first."""
    shows: tuple[str, ...] = ()
    """What the answer has to say."""


def _situation(
    name: str, change: Callable[[StageFacts], StageFacts], first: str, *shows: str
) -> Situation:
    return Situation(name, change(WORKS), first, shows)


_STUCK = StackFacts(
    "UPDATE_ROLLBACK_FAILED",
    {},
    "",
    (
        FailedResource(
            "FunctionF1", "AWS::Lambda::Function", "UPDATE_FAILED",
            f"Source image {REPOSITORY}@{GOOD} does not exist. Provide a valid source image.",
        ),
        FailedResource("Live2", "AWS::Lambda::Alias", "UPDATE_FAILED", "it was not put back"),
    ),
)  # fmt: skip

SITUATIONS = (
    _situation(
        "another CPU",
        fails("Runtime.InvalidEntrypoint", "ProcessSpawnFailed", live_image=image("C1")),
        "image-c1", "Runtime.InvalidEntrypoint", "rule C1", "release rollback dev", "mend it",
        "not the handler's name",
    ),
    _situation(
        "a configuration that lies",
        fails("Runtime.InvalidEntrypoint", "exec format error", live_image=image("C2")),
        "image-c2",
    ),
    _situation(
        "entrypoint missing", fails("Runtime.InvalidEntrypoint", "no such file or directory",
        live_image=image("C6")), "image-c6",
    ),
    _situation(
        "entrypoint not executable", fails("Runtime.InvalidEntrypoint", "permission denied",
        live_image=image("C7")), "image-c7",
    ),
    _situation(
        "CRLF", fails("Runtime.InvalidEntrypoint", live_image=image("C9")), "image-c9",
    ),
    _situation(
        "no shebang", fails("Runtime.InvalidEntrypoint", live_image=image("C8")), "image-c8",
    ),
    _situation(
        "an override that is one empty string",
        fails("Runtime.InvalidEntrypoint", "Error: ProcessSpawnFailed",
              live=replace(FUNCTION, override=Override(("",)))),
        "image-config-override", "EntryPoint: ['']", "the entrypoint is an empty string",
        "--image-config '{}'", "console",
    ),
    _situation(
        "an override of the command alone",
        fails("Runtime.InvalidEntrypoint", "Couldn't find valid bootstrap(s): [app.handler]",
              live=replace(FUNCTION, override=Override(None, ("app.handler",)))),
        "image-config-override", "Command: ['app.handler']", "rule C5",
    ),
    _situation(
        "entrypoint, and the image is fine",
        fails("Runtime.InvalidEntrypoint", "fork/exec /x: exec format error"),
        "invalid-entrypoint", "no problem was found in the image", "another CPU", "--against",
    ),
    _situation(
        "entrypoint, and the image cannot be read",
        fails("Runtime.InvalidEntrypoint", "fork/exec /x: permission denied", live_image=None),
        "invalid-entrypoint", "could not be read", "may not execute it", "release check docker://",
    ),
    _situation(
        "working directory",
        fails("Runtime.InvalidWorkingDir", "the working directory '' is invalid"),
        "invalid-working-dir",
    ),
    _situation(
        "handler path wrong, and check sees it",
        fails("Runtime.HandlerNotFound", "Handler 'handlr' missing on module 'rooms.main'",
              live_image=image("E3")),
        "image-e3", "This is not Runtime.InvalidEntrypoint: the image started", "runtime client",
    ),
    _situation(
        "handler path wrong",
        fails("Runtime.HandlerNotFound", "Handler 'handlr' missing on module 'rooms.main'"),
        "handler-missing", "This is not Runtime.InvalidEntrypoint: the image started",
        "starts /lambda-entrypoint.sh rooms.main.handler",
    ),
    _situation(
        "handler module wrong",
        fails("Runtime.ImportModuleError",
              "Unable to import module 'rooms.man': No module named 'rooms.man'"),
        "module-missing", "The handler's path is wrong", "This is not Runtime.InvalidEntrypoint",
    ),
    _situation(
        "handler package wrong",
        fails("Runtime.ImportModuleError",
              "Unable to import module 'room.main': No module named 'room'"),
        "module-missing", "The handler's path is wrong",
    ),
    _situation(
        "module missing",
        fails("Runtime.ImportModuleError",
              "Unable to import module 'rooms.main': No module named 'msgspec'"),
        "module-missing", "'msgspec' is missing", "lambda_src/requirements.in",
    ),
    _situation(
        "native module of another CPU",
        fails("Runtime.ImportModuleError",
              "Unable to import module 'rooms.main': /var/task/m.so: cannot open shared object"),
        "module-missing", "another CPU, libc or system",
    ),
    _situation(
        "unreadable files, seen by check",
        fails("PermissionError", "[Errno 13] Permission denied: '/var/task/rooms/main.py'",
              live_image=image("E6")),
        "image-e6",
    ),
    _situation(
        "unreadable files",
        fails("PermissionError", "[Errno 13] Permission denied: '/var/task/rooms/main.py'"),
        "image-e6", "owns nothing in the image",
    ),
    _situation(
        "syntax", fails("Runtime.UserCodeSyntaxError", "Syntax error in module"), "image-e4",
    ),
    _situation(
        "no handler in CMD",
        fails("Runtime.ExitError", "Runtime exited with error: exit status 142"),
        "process-exits", "exactly one argument", "rule D1",
    ),
    _situation(
        "process ends", fails("Runtime.ExitError", "Runtime exited without providing a reason"),
        "process-exits", "release boot dev",
    ),
    _situation(
        "extension", fails("Extension.LaunchError", "exec format error"), "extension",
        "/opt/extensions",
    ),
    _situation(
        "image deleted, by state",
        live(state="Failed", state_code="ImageDeleted", state_reason="The image was deleted"),
        "image-deleted", "State Failed, ImageDeleted", "release build dev && ",
    ),
    _situation(
        "image deleted, and live still runs",
        changed(live_image=image("A1", "the repository has no image sha256:aa")),
        "image-deleted", "as long as Lambda still has a copy", "get-lifecycle-policy",
        "put-lifecycle-policy",
    ),
    _situation(
        "image archived", changed(live_image=image("A4", "ECR has the image as ARCHIVED")),
        "image-archived", "update-image-storage-class", "STANDARD",
    ),
    _situation(
        "no permission to pull, by state",
        live(state="Inactive", state_code="ImageAccessDenied"),
        "image-access-denied", "set-repository-policy", "lambda.amazonaws.com",
        "arn:aws:lambda:ap-northeast-1:123456789012:function:hima-five-bomber-dev-rooms",
    ),
    _situation(
        "no permission to pull, by policy",
        changed(live_image=image("A3", "the policy denies ecr:BatchGetImage to Lambda")),
        "image-access-denied",
    ),
    _situation(
        "key", live(TurnedAway("KMSAccessDeniedException", "", "Lambda was unable to decrypt")),
        "kms-key", "kms:Decrypt", "arn:aws:iam::123456789012:role/rooms-role",
    ),
    _situation(
        "key disabled", live(state="Failed", state_code="DisabledKMSKey"), "kms-key",
        "describe-key",
    ),
    _situation(
        "role gone",
        live(TurnedAway("AccessDeniedException", "",
                        "The role defined for the function cannot be assumed by Lambda.")),
        "role-not-assumable", "aws iam get-role --role-name rooms-role",
    ),
    _situation(
        "asleep", live(state="Inactive", state_code="Idle"), "function-inactive",
        "wait function-active-v2",
    ),
    _situation(
        "failed for another reason", live(state="Failed", state_code="InternalError"),
        "function-failed", "InternalError",
    ),
    _situation(
        "an image that Lambda cannot unpack, by state",
        live(state="Failed", state_code="InvalidImage", state_reason="MissingParentDirectory:"
             " Parent directory does not exist for file: zipp/__init__.py"),
        "image-b11", "rule B11", "MissingParentDirectory", "release build dev",
    ),
    _situation(
        "timeout",
        fails("Sandbox.Timedout", "RequestId: 1 Error: Task timed out after 20.00 seconds"),
        "timeout", "timeoutSeconds", "at most 29",
    ),
    _situation(
        "timeout, in older words",
        fails("", "2026-11-25T01:00:00Z 1 Task timed out after 20.00 seconds"),
        "timeout",
    ),
    _situation("silence", changed(invocation=Silent(50)), "timeout", "no answer within 50 s"),
    _situation(
        "timeout of late",
        changed(logs=logs("2026-11-25T01:00:00Z 1-2 Task timed out after 20.00 seconds")),
        "timeout", "possible",
    ),
    _situation(
        "memory",
        fails("Runtime.ExitError", "RequestId: 1 Error: Runtime exited with error: signal: killed"),
        "out-of-memory", "memoryMb: 1024", "512 MB",
    ),
    _situation("memory, by name", fails("Runtime.OutOfMemory", ""), "out-of-memory"),
    _situation(
        "memory, seen as a timeout",
        fails("Sandbox.Timedout", "Task timed out after 20.00 seconds", logs=logs(
            "REPORT RequestId: 1\tDuration: 20000.00 ms\tBilled Duration: 20000 ms\t"
            "Memory Size: 512 MB\tMax Memory Used: 512 MB\tStatus: timeout")),
        "out-of-memory",
    ),
    _situation(
        "init timeout",
        changed(invocation=None, logs=logs(
            '{"time":"2024-06-17T17:48:06.348Z","type":"platform.initReport","record":'
            '{"initializationType":"on-demand","phase":"init","status":"timeout",'
            '"metrics":{"durationMs":10000.487}}}')),
        "init-timeout", "rule D4",
    ),
    _situation(
        "switched off",
        changed(concurrency=Concurrency(0, 1000, 900), invocation=TurnedAway(
            "TooManyRequestsException", "ReservedFunctionConcurrentInvocationLimitExceeded",
            "Rate Exceeded.")),
        "concurrency-zero", "delete-function-concurrency", "Nothing is wrong with the image",
    ),
    _situation(
        "account at its limit",
        changed(concurrency=Concurrency(None, 10, 10), invocation=TurnedAway(
            "TooManyRequestsException", "ConcurrentInvocationLimitExceeded", "Rate Exceeded.")),
        "throttled", "L-B99A9384", "limit: 10",
    ),
    _situation(
        "own limit reached",
        changed(concurrency=Concurrency(5, 1000, 995), throttled=7),
        "throttled", "put-function-concurrency", "7 invocations",
        "--reserved-concurrent-executions 10",
    ),
    _situation(
        "variable missing", fails("KeyError", "'ROOMS_TABLE'",
        live=replace(FUNCTION, variables={"OTHER": "hunter2-hunter2"})),
        "variable-missing", "ROOMS_TABLE is not set", "variables of the function: OTHER",
    ),
    _situation(
        "exception at import", fails("ValueError", "of some kind"), "exception", "ValueError",
        "aws logs tail",
    ),
    _situation(
        "table missing",
        server_error(503, "UNAVAILABLE", "ResourceNotFoundException", table=ABSENT),
        "table-missing", "hima-five-bomber-dev-rooms does not exist", "cdk destroy",
    ),
    _situation(
        "another table",
        server_error(503, "UNAVAILABLE", "ResourceNotFoundException",
                     live=replace(FUNCTION, variables={"ROOMS_TABLE": "other"})),
        "table-missing", "another table", "--revert-drift",
    ),
    _situation(
        "another table, by the code alone",
        server_error(503, "UNAVAILABLE", "ResourceNotFoundException"),
        "code-asks-other-table", "which exists", "release rollback",
    ),
    _situation(
        "table unreachable", server_error(503, "UNAVAILABLE", "ConnectTimeoutError"),
        "table-unreachable", "VpcConfig",
    ),
    _situation(
        "table throttles", server_error(503, "UNAVAILABLE", "ThrottlingException"),
        "table-throttled",
    ),
    _situation(
        "role denied", server_error(500, "INTERNAL_ERROR", "GetItem: AccessDeniedException"),
        "role-denied", "--role-name rooms-role", "not Lambda's permission",
    ),
    _situation(
        "table's key", server_error(500, "INTERNAL_ERROR", "GetItem: KMSAccessDeniedException"),
        "table-kms-key",
    ),
    _situation(
        "a bug", server_error(500, "INTERNAL_ERROR", "TypeError"), "server-error", "TypeError",
        "release rollback dev",
    ),
    _situation(
        "another program", changed(invocation=Answered(0)), "wrong-answer", "no HTTP response",
    ),
    _situation(
        "API not allowed", changed(api_may_invoke=False), "api-not-allowed", "add-permission",
        "--qualifier live",
    ),
    _situation(
        "API throttles",
        changed(access=AccessFacts({"429": 12}, (), ("GET /rooms/{roomId}", "POST /rooms"))),
        "api-throttled", "12 requests were answered 429: GET /rooms/{roomId}, POST /rooms",
        "everybody gets 429", "requestsPerClient", "release page dev",
    ),
    _situation(
        "never deployed",
        changed(stack=ABSENT, latest=ABSENT, live=ABSENT, alias=ABSENT, invocation=None,
                live_image=None, deployment=None, logs=ABSENT, table=ABSENT),
        "never-deployed", "release ship dev", "nothing is live",
    ),
    _situation(
        "function deleted",
        changed(latest=ABSENT, live=ABSENT, alias=ABSENT, invocation=None, live_image=None),
        "function-missing", "npx cdk drift", "release deploy dev --packaging zip",
    ),
    _situation(
        "alias deleted", changed(live=ABSENT, alias=ABSENT, invocation=None, live_image=None),
        "alias-missing", "create-alias",
    ),
    _situation(
        "live changed by hand",
        changed(live=replace(FUNCTION, version="9", image=f"{REPOSITORY}@{BAD}")),
        "live-drifted", "rule H4", f"names {GOOD}", "update-alias",
    ),
    _situation(
        "live is not the lock's, and no parameter tells",
        changed(released=None, live=replace(FUNCTION, image=f"{REPOSITORY}@{BAD}")),
        "live-drifted", "possible", "release deploy dev",
    ),
    _situation(
        "code changed by hand",
        changed(latest=replace(FUNCTION, version="$LATEST", image=f"{REPOSITORY}@{BAD}")),
        "latest-drifted", "update-function-code", f"@{GOOD}",
    ),
    _situation(
        "stuck, as the image before is gone", changed(stack=_STUCK), "stack-stuck",
        "continue-update-rollback", "--resources-to-skip FunctionF1 Live2", "rule A6",
        "release push dev",
    ),
    _situation(
        "first creation failed", changed(stack=StackFacts("ROLLBACK_COMPLETE")), "stack-stuck",
        "delete-stack",
    ),
    _situation(
        "refused by the hook, and check knows why",
        refused("Runtime.InvalidEntrypoint: ProcessSpawnFailed", image("C1")),
        "refused-image-c1", "refused by the pre-traffic hook", "live still answers from version 3",
        "d-NEW", "release build dev",
    ),
    _situation(
        "refused by the hook for its handler",
        refused("Runtime.HandlerNotFound: Handler 'x' missing on module 'rooms.main'", IMAGE),
        "refused-handler-missing", "This is not Runtime.InvalidEntrypoint",
    ),
    _situation(
        "refused by the hook: 500", refused("status 500 INTERNAL_ERROR, wanted 200", IMAGE),
        "refused-server-error",
    ),
    _situation(
        "refused by the hook: its table",
        refused("status 503 UNAVAILABLE, wanted 200", IMAGE, logs=logs(
            '{"level": "ERROR", "message": "request", "status": 503, "code": "UNAVAILABLE",'
            ' "route": "POST /rooms", "cause": "ResourceNotFoundException"}', version="4")),
        "refused-code-asks-other-table", "git grep -n ROOMS_TABLE",
    ),
    _situation(
        "refused by the hook: silence", refused("no answer within 45 seconds", IMAGE),
        "refused-timeout",
    ),
    _situation(
        "refused, as the hook may not ask",
        refused("AccessDeniedException: not authorized to perform lambda:InvokeFunction", IMAGE),
        "deployment-refused", "pre-traffic hook", "lambda:InvokeFunction",
    ),
    _situation(
        "refused, and nobody says why",
        changed(deployment=DeploymentFacts(
            id="d-NEW", status="Failed", code="INTERNAL_ERROR", version="4"), pin=BAD_PIN,
            stack=StackFacts("UPDATE_ROLLBACK_COMPLETE")),
        "deployment-refused", "d-NEW", "live still answers from version 3",
    ),
    _situation(
        "stopped by an alarm",
        changed(deployment=DeploymentFacts(
            id="d-NEW", status="Stopped", code="ALARM_ACTIVE", version="4",
            alarms=("hima-five-bomber-dev-version-errors-4",)), pin=BAD_PIN,
            stack=StackFacts("UPDATE_ROLLBACK_COMPLETE"),
            alarms=(AlarmFacts("hima-five-bomber-dev-version-errors-4", "1 datapoint"),)),
        "deployment-stopped-by-alarm", "hima-five-bomber-dev-version-errors-4 is in ALARM",
        "its own alarms", "aws logs tail",
    ),
    _situation(
        "taken back before CodeDeploy",
        changed(pin=BAD_PIN, stack=StackFacts("UPDATE_ROLLBACK_COMPLETE", {}, "", (FailedResource(
            "F", "AWS::Lambda::Function", "UPDATE_FAILED",
            "The image manifest, config or layer media type is not supported."),))),
        "deployment-refused", "media type is not supported",
    ),
    _situation(
        "taken back before CodeDeploy, which refused another one earlier",
        changed(pin=BAD_PIN, deployment=DeploymentFacts(
            id="d-OLD", status="Failed", code="HOOK_EXECUTION_FAILURE", version="2"),
            refused_image=replace(image("B2"), reference=f"{REPOSITORY}@{BAD}"),
            stack=StackFacts("UPDATE_ROLLBACK_COMPLETE", {}, "", (FailedResource(
                "F", "AWS::Lambda::Function", "UPDATE_FAILED",
                "The image manifest, config or layer media type is not supported."),))),
        "refused-image-b2", "media type is not supported",
    ),
    _situation(
        "an alarm alone", changed(alarms=(AlarmFacts("hima-five-bomber-dev-api-5xx", "3 points",
        "Players get server errors."),)), "alarm", "Players get server errors",
    ),
    _situation(
        "an error that nobody knows", fails("Sandbox.Failure", "of some kind"), "unknown",
        "Sandbox.Failure", "no rule explains it",
    ),
)  # fmt: skip


def printed_json(diagnosis: Diagnosis) -> str:
    """Return what ``diagnose --json`` prints."""
    fields = msgspec.to_builtins(result_of(diagnosis, "123456789012"))
    return envelope("diagnose", fields, ok=diagnosis.verdict in ("works", "nothing found"))
