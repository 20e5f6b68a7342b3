"""From facts to causes: each situation alone, in the noise of others, and with parts missing."""

import json
import shlex
from dataclasses import fields, replace
from typing import Any

import msgspec
import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk.assertions import Template
from constructs.image_repository import ImageRepository
from hypothesis import given, settings
from hypothesis import strategies as st

from release.diagnosis.diagnose import Diagnosis, diagnose
from release.diagnosis.facts import (
    ABSENT,
    AlarmFacts,
    DeploymentFacts,
    LogFacts,
    Override,
    StackFacts,
    StageFacts,
)
from release.diagnosis.image_facts import ImageFacts
from release.diagnosis.outcome import Answered, Failed, TurnedAway, answers
from release.diagnosis.report import as_text
from tests.support.imagecheck.findings import warning
from tests.support.release.diagnosis_situations import (
    BAD,
    ENTRYPOINT_TEXT,
    FUNCTION,
    GOOD,
    IMAGE,
    NOISE,
    PIN,
    REPOSITORY,
    SITUATIONS,
    WORKS,
    Situation,
    image,
    line,
    logs,
    printed_json,
    refused,
)

_NO_TABLE = line(
    '{"level": "ERROR", "message": "request", "status": 503, "code": "UNAVAILABLE",'
    ' "route": "GET /rooms/{roomId}", "cause": "ResourceNotFoundException"}'
)

every_situation = pytest.mark.parametrize(
    "situation", SITUATIONS, ids=lambda situation: situation.name
)


def names(facts: StageFacts) -> list[str]:
    return [cause.name for cause in diagnose(facts).causes]


def said(facts: StageFacts) -> str:
    """What is printed, whatever the width of the terminal."""
    return " ".join(as_text(diagnose(facts)).split())


def with_noise(facts: StageFacts) -> StageFacts:
    """The same, with lines of other versions, a warning of check's and an alarm beside it."""
    noise = tuple(line(text, version) for text in NOISE for version in ("1", "2"))
    log = facts.logs if isinstance(facts.logs, LogFacts) else LogFacts(60)
    found = facts.live_image
    alarms = (*(facts.alarms or ()), AlarmFacts("hima-five-bomber-dev-api-latency-p99"))
    return replace(
        facts,
        logs=replace(log, lines=(*noise, *log.lines, *noise)),
        live_image=found
        and replace(found, findings=(*found.findings, warning("C13", "a symlink", "name it"))),
        alarms=alarms if facts is not WORKS else facts.alarms,
    )


def test_what_works_has_no_cause() -> None:
    diagnosis = diagnose(WORKS)

    assert (diagnosis.verdict, diagnosis.causes) == ("works", ())
    assert "it works" in as_text(diagnosis)


def test_noise_alone_is_no_cause() -> None:
    assert diagnose(with_noise(WORKS)).verdict == "works"


@every_situation
def test_the_cause_comes_first(situation: Situation) -> None:
    diagnosis = diagnose(situation.facts)

    assert diagnosis.verdict == "broken"
    first = diagnosis.causes[0]
    assert first.name == situation.first
    assert first.evidence
    assert first.fix
    shown = " ".join(msgspec.json.encode(first).decode().split())
    printed = said(situation.facts)
    for text in situation.shows:
        assert text in shown or text in printed, text


@every_situation
def test_the_cause_comes_first_in_the_noise_of_others(situation: Situation) -> None:
    if situation.first == "alarm":
        return
    assert names(with_noise(situation.facts))[0] == situation.first


@every_situation
def test_no_value_of_a_variable_is_shown(situation: Situation) -> None:
    diagnosis = diagnose(situation.facts)

    assert "hunter2" not in as_text(diagnosis) + printed_json(diagnosis) + repr(situation.facts)


def test_situations_have_names_of_their_own() -> None:
    assert len({situation.name for situation in SITUATIONS}) == len(SITUATIONS)


# --- what is told apart -------------------------------------------------------------------------


def test_a_log_of_before_makes_a_cause_possible_and_an_invocation_makes_it_certain() -> None:
    found = logs(ENTRYPOINT_TEXT)
    now = replace(WORKS, logs=found, live_image=image("C1"))
    unasked = replace(now, invocation=None, asked_to_invoke=False)
    failed = replace(now, invocation=Failed("Runtime.InvalidEntrypoint", "x"))

    assert diagnose(now).causes[0].likelihood == "possible"
    assert diagnose(unasked).causes[0].likelihood == "likely"
    assert diagnose(failed).causes[0].likelihood == "certain"


def test_an_image_that_runs_is_not_blamed_for_what_check_finds() -> None:
    assert diagnose(replace(WORKS, live_image=image("E2"))).verdict == "works"


def test_an_override_that_works_is_not_blamed() -> None:
    override = Override(("/lambda-entrypoint.sh",), ("rooms.main.handler",), "/var/task")

    assert diagnose(replace(WORKS, live=replace(FUNCTION, override=override))).verdict == "works"


def test_what_the_override_makes_wrong_is_not_blamed_on_the_image() -> None:
    """There is nothing to change in the image, and going back to another helps nobody."""
    [found] = image("C14").findings
    facts = replace(
        WORKS,
        live=replace(FUNCTION, override=Override(("x/y",))),
        live_image=replace(IMAGE, by_override=(found,)),
        invocation=Failed("Runtime.InvalidEntrypoint", "no such file"),
    )
    [cause] = diagnose(facts).causes

    assert (cause.name, cause.likelihood) == ("image-config-override", "certain")


def test_an_override_that_nothing_is_wrong_with_is_likely_all_the_same() -> None:
    facts = replace(
        WORKS,
        live=replace(FUNCTION, override=Override(("/x",), ("y",), "/")),
        invocation=Failed("Runtime.InvalidEntrypoint", "no such file"),
    )
    [cause] = diagnose(facts).causes

    assert (cause.name, cause.likelihood) == ("image-config-override", "likely")


def test_an_override_is_not_blamed_for_a_timeout() -> None:
    facts = replace(
        WORKS,
        live=replace(FUNCTION, override=Override(None, ("rooms.main.handler",))),
        invocation=Failed("Sandbox.Timedout", "Task timed out after 20.00 seconds"),
    )
    assert names(facts)[0] == "timeout"


def test_what_check_finds_waits_behind_what_fails_now() -> None:
    """The entrypoint is missing; that the handler is too shows only when it is mended."""
    found = replace(IMAGE, findings=(*image("E3").findings, *image("C6").findings))
    facts = replace(
        WORKS, live_image=found, invocation=Failed("Runtime.InvalidEntrypoint", "no such file")
    )
    first, second = diagnose(facts).causes

    assert (first.name, first.likelihood) == ("image-c6", "certain")
    assert (second.name, second.likelihood) == ("image-e3", "possible")


def test_handler_errors_are_said_to_be_no_invalid_entrypoint_and_the_reverse() -> None:
    for type_ in (
        "Runtime.HandlerNotFound",
        "Runtime.ImportModuleError",
        "Runtime.MalformedHandlerName",
        "Runtime.UserCodeSyntaxError",
        "Runtime.BuiltInModuleConflict",
    ):
        first = diagnose(replace(WORKS, invocation=Failed(type_, "x"))).causes[0]
        assert first.explanation.startswith("This is not Runtime.InvalidEntrypoint"), type_
    entrypoint = replace(WORKS, invocation=Failed("Runtime.InvalidEntrypoint", "x"))
    assert "not the handler's name" in diagnose(entrypoint).causes[0].explanation


def test_a_line_of_the_live_version_counts_and_one_of_another_does_not() -> None:
    text = "1-2 Task timed out after 20.00 seconds"

    assert names(replace(WORKS, logs=logs(text, version="3"))) == ["timeout"]
    assert names(replace(WORKS, logs=logs(text, version="2"))) == []
    assert names(replace(WORKS, logs=logs(text, version=""))) == ["timeout"]


def test_repeated_lines_are_one_piece_of_evidence() -> None:
    found = logs(*["1-2 Task timed out after 20.00 seconds"] * 12)

    [cause] = diagnose(replace(WORKS, logs=found)).causes

    assert [evidence.text for evidence in cause.evidence] == [
        "Sandbox.Timedout: Task timed out after 20.00 seconds (12 times)"
    ]


def test_what_a_log_tells_of_before_comes_after_what_fails_now() -> None:
    found = logs("[ERROR] Runtime.HandlerNotFound: Handler 'x' missing on module 'rooms.main'")
    facts = replace(WORKS, logs=found, invocation=Failed("Sandbox.Timedout", "Task timed out"))

    assert [(cause.name, cause.likelihood) for cause in diagnose(facts).causes] == [
        ("timeout", "certain"),
        ("handler-missing", "possible"),
    ]


def test_reports_that_only_repeat_a_type_are_no_evidence_beside_the_line_that_says_more() -> None:
    report = (
        '{"time":"2026-11-25T01:00:00Z","type":"platform.report","record":'
        '{"status":"error","errorType":"KeyError"}}'
    )
    alone = replace(WORKS, invocation=None, logs=logs(report))
    both = replace(alone, logs=logs('{"errorType":"KeyError","errorMessage":"\'X_Y\'"}', report))

    assert [e.text for e in diagnose(alone).causes[0].evidence] == [
        "platform.report: status error, KeyError"
    ]
    [cause] = diagnose(both).causes
    assert cause.name == "variable-missing"
    assert [e.text for e in cause.evidence][:1] == ["KeyError: 'X_Y'"]
    assert "platform" not in str(cause.evidence)


def test_an_old_refusal_is_forgotten_when_the_stack_has_moved_on() -> None:
    facts = refused("Runtime.InvalidEntrypoint: x", image("C1"))(WORKS)

    assert names(facts)[0] == "refused-image-c1"
    assert names(replace(facts, stack=StackFacts("UPDATE_COMPLETE"))) == []


def test_a_refused_version_that_is_live_all_the_same_is_not_told_as_refused() -> None:
    """With --emergency it may have got its traffic without being asked."""
    facts = refused("Runtime.InvalidEntrypoint: x", image("C1"))(WORKS)
    deployment = facts.deployment
    assert isinstance(deployment, DeploymentFacts)

    assert names(replace(facts, deployment=replace(deployment, version="3"))) == []


def test_of_a_refused_zip_the_handler_is_not_looked_for_in_the_dockerfile() -> None:
    zip_ = replace(FUNCTION, package="Zip", image="", handler="rooms.main.handler")
    facts = replace(
        refused("Runtime.HandlerNotFound: Handler 'x' missing on module 'rooms.main'")(WORKS),
        live=zip_,
        live_image=None,
        refused=ABSENT,
    )
    printed = said(facts)

    assert "stacks/rooms_stack.py" in printed
    assert "release deploy dev --packaging zip" in printed
    assert "Dockerfile" not in printed


def test_the_hook_is_named_where_the_steps_of_the_deployment_cannot_be_seen() -> None:
    facts = refused("ValueError:", IMAGE)(WORKS)
    deployment = facts.deployment
    assert isinstance(deployment, DeploymentFacts)

    first = diagnose(replace(facts, deployment=replace(deployment, events=()))).causes[0]

    assert first.title == (
        "The new version was refused by the pre-traffic hook: the code raises ValueError"
    )


def test_live_that_fails_comes_before_a_deployment_that_was_refused() -> None:
    facts = replace(
        refused("Runtime.InvalidEntrypoint: x", image("C1"))(WORKS),
        invocation=Failed("Runtime.OutOfMemory", ""),
    )
    assert names(facts)[:2] == ["out-of-memory", "refused-image-c1"]


def test_live_that_fails_comes_first_however_unsure_its_cause_is() -> None:
    """Players suffer from live: what CodeDeploy refused is certain, and not what they suffer of."""
    refusal = refused("Runtime.InvalidEntrypoint: x", image("C1"))(WORKS)
    asleep = replace(
        refusal,
        live=replace(FUNCTION, state="Inactive", state_code="Idle"),
        invocation=TurnedAway("ResourceConflictException", "", "not Active"),
    )
    unknown = replace(refusal, invocation=Failed("Sandbox.Failure", ""))
    gone = replace(refusal, latest=ABSENT, live=ABSENT, alias=ABSENT, invocation=None)

    assert [(c.name, c.likelihood) for c in diagnose(asleep).causes][0::2] == [
        ("function-inactive", "likely"),
        ("refused-image-c1", "certain"),
    ]
    assert names(unknown) == ["unknown", "refused-image-c1"]
    assert names(gone) == ["function-missing", "refused-image-c1"]


def test_a_stack_that_is_stuck_does_not_explain_why_live_fails() -> None:
    [stuck] = [one for one in SITUATIONS if one.name.startswith("stuck")]
    facts = replace(stuck.facts, invocation=Failed("Sandbox.Failure", ""))

    assert set(names(facts)) == {"stack-stuck", "unknown"}


def test_what_was_refused_is_a_note_when_nobody_wants_it_any_more() -> None:
    """The lock file was put back: live works, and the next deployment would change nothing."""
    facts = replace(refused("Runtime.InvalidEntrypoint: x", image("C1"))(WORKS), pin=PIN)
    diagnosis = diagnose(facts)

    assert (diagnosis.verdict, diagnosis.causes) == ("works", ())
    assert "it works" in said(facts)
    assert (
        "last deployment: The new version was refused by the pre-traffic hook: the image is for"
        " another CPU than the function. Lock file and release parameter name what is live"
    ) in said(facts)
    [note] = [
        one
        for one in msgspec.json.decode(printed_json(diagnosis))["lookedAt"]
        if one["source"] == "last deployment"
    ]
    assert "refused by the pre-traffic hook" in note["found"]


@pytest.mark.parametrize(
    "change",
    [
        {"pin": msgspec.structs.replace(PIN, digest=BAD)},
        {"pin": None},
        {"released": BAD},
        {"released": None},
        {"invocation": None},
        {"invocation": Failed("Sandbox.Failure", "")},
        # Refused for its configuration, which the lock file does not tell.
        {"refused": replace(FUNCTION, version="4")},
        {
            "refused": ABSENT,
            "stack": StackFacts("UPDATE_ROLLBACK_COMPLETE", image=f"{REPOSITORY}@{GOOD}"),
        },
    ],
)
def test_what_was_refused_stays_a_cause_while_it_may_be_wanted(change: dict[str, Any]) -> None:
    facts = replace(
        refused("Runtime.InvalidEntrypoint: x", image("C1"))(WORKS), **{"pin": PIN, **change}
    )
    diagnosis = diagnose(facts)

    assert diagnosis.verdict == "broken"
    assert "refused-image-c1" in names(facts)
    assert diagnosis.notes == ()


def test_only_the_alarms_that_stopped_a_deployment_are_its_evidence() -> None:
    def ringing(**deployment: Any) -> str:
        stopped = DeploymentFacts(
            id="d-NEW", status="Stopped", code="ALARM_ACTIVE", version="4", **deployment
        )
        facts = replace(
            WORKS,
            pin=None,
            deployment=stopped,
            stack=StackFacts("UPDATE_ROLLBACK_COMPLETE"),
            alarms=tuple(
                AlarmFacts(f"dev-{name}") for name in ("api-5xx", "errors-4", "errors-44")
            ),
        )
        [cause] = diagnose(facts).causes
        assert cause.name == "deployment-stopped-by-alarm"
        assert "--emergency" not in str(cause.fix)
        return " ".join(e.text for e in cause.evidence if e.source == "CloudWatch")

    assert ringing(alarms=("dev-errors-4", "dev-5xx-4")) == "dev-errors-4 is in ALARM: "
    assert ringing(message="Stopped by [dev-errors-4].") == "dev-errors-4 is in ALARM: "
    assert ringing() == ""


def test_an_image_that_is_gone_is_certain_only_where_lambda_says_so() -> None:
    gone = replace(WORKS, live_image=image("A1"))
    table = replace(gone, table=ABSENT, invocation=Answered(503, "UNAVAILABLE", (_NO_TABLE,)))
    said_so = replace(
        gone, invocation=TurnedAway("InvalidParameterValueException", "", "a deleted image")
    )

    assert [(cause.name, cause.likelihood) for cause in diagnose(table).causes] == [
        ("table-missing", "certain"),
        ("image-deleted", "likely"),
    ]
    assert diagnose(table).causes[1].title.endswith("only as long as Lambda still has a copy")
    assert diagnose(replace(gone, invocation=None)).causes[0].likelihood == "likely"
    assert diagnose(said_so).causes[0].likelihood == "certain"


def test_the_repository_policy_that_is_put_back_is_the_one_of_the_stack() -> None:
    app = App(context={"@aws-cdk/core:enablePartitionLiterals": True})
    env = Environment(account="123456789012", region="ap-northeast-1")
    stack = Stack(app, "Stack", env=env)
    ImageRepository(stack, "Images", name="images", function_name=WORKS.function_name, retain=True)
    [repository] = Template.from_stack(stack).find_resources("AWS::ECR::Repository").values()
    policy = json.dumps(repository["Properties"]["RepositoryPolicyText"], sort_keys=True)

    denied = replace(WORKS, live_image=image("A3"))
    command = shlex.split(diagnose(denied).causes[0].fix[1].command)

    put = json.loads(command[command.index("--policy-text") + 1])
    assert json.dumps(put, sort_keys=True) == policy


def test_a_table_is_restored_only_where_its_data_is_kept() -> None:
    kept = replace(
        WORKS.stage, settings=msgspec.structs.replace(WORKS.stage.settings, retain_data=True)
    )
    gone = replace(WORKS, table=ABSENT, invocation=Answered(503, "UNAVAILABLE", (_NO_TABLE,)))

    assert "restore-table" not in said(gone)
    assert "destroy" not in said(replace(gone, stage=kept))
    assert "restore-table-from-backup" in said(replace(gone, stage=kept))


def test_a_function_that_was_deleted_is_made_by_its_other_packaging_and_then_its_own() -> None:
    facts = replace(WORKS, latest=ABSENT, live=ABSENT, alias=ABSENT, invocation=None)
    of_zip = replace(facts, function_name=WORKS.stage.names.zip_function)
    image_, zip_ = "python -m release deploy dev", "python -m release deploy dev --packaging zip"

    assert [one.command for one in diagnose(facts).causes[0].fix[1:]] == [zip_, image_]
    assert [one.command for one in diagnose(of_zip).causes[0].fix[1:]] == [image_, zip_]


def test_names_keep_their_capital_letter_behind_a_colon() -> None:
    """Lambda is not lambda."""
    first = diagnose(refused("", image("A3"))(WORKS)).causes[0]

    assert ": Lambda may not pull the image" in first.title


def test_the_refused_version_is_not_rolled_back() -> None:
    """Live is fine: going back would take away what works."""
    first = diagnose(refused("Runtime.InvalidEntrypoint: x", image("C1"))(WORKS)).causes[0]

    assert not [remedy for remedy in first.fix if "rollback" in remedy.command]


def test_a_deployment_under_way_is_no_drift() -> None:
    new = replace(FUNCTION, version="$LATEST", image=f"{REPOSITORY}@{BAD}")
    facts = replace(WORKS, latest=new, stack=StackFacts("UPDATE_IN_PROGRESS"))

    assert diagnose(facts).verdict == "works"


def test_a_pin_that_is_not_deployed_yet_is_no_drift() -> None:
    """The parameter says what was released; the lock may be ahead of it."""
    facts = replace(WORKS, pin=msgspec.structs.replace(PIN, digest=BAD))

    assert diagnose(facts).verdict == "works"


def test_a_zip_has_no_image_to_drift_from() -> None:
    live = replace(FUNCTION, package="Zip", image="", handler="rooms.main.handler")

    assert diagnose(replace(WORKS, live=live, released="", live_image=None)).verdict == "works"


def test_of_a_zip_the_handler_is_shown() -> None:
    live = replace(FUNCTION, package="Zip", image="", handler="rooms.main.handlr")
    facts = replace(
        WORKS, live=live, live_image=None, invocation=Failed("Runtime.HandlerNotFound", "x")
    )
    assert "handler rooms.main.handlr" in said(facts)


def test_more_memory_than_there_is_is_not_advised() -> None:
    facts = replace(
        WORKS, live=replace(FUNCTION, memory_mb=8192), invocation=Failed("Runtime.OutOfMemory", "")
    )
    assert "memoryMb: 10240" in said(facts)


def test_reserved_concurrency_of_the_settings_is_what_is_put_back() -> None:
    stage = replace(
        WORKS.stage, settings=msgspec.structs.replace(WORKS.stage.settings, reserved_concurrency=20)
    )
    [off] = [one for one in SITUATIONS if one.first == "concurrency-zero"]

    command = diagnose(replace(off.facts, stage=stage)).causes[0].fix[0].command

    assert command == (
        "aws lambda put-function-concurrency --function-name hima-five-bomber-dev-rooms"
        " --reserved-concurrent-executions 20 --region ap-northeast-1"
    )


def test_tokens_in_a_log_are_not_shown() -> None:
    key = "AKIA" + "A" * 16
    facts = replace(
        WORKS,
        invocation=Failed("ValueError", f"Bearer abc.def {key} X-Amz-Signature=0123 " + "x" * 5000),
    )
    printed = said(facts) + printed_json(diagnose(facts))

    assert not [secret for secret in ("abc.def", key, "0123") if secret in printed]
    assert "x" * 1000 not in printed


# --- what cannot be seen ------------------------------------------------------------------------


def test_without_an_invocation_it_is_not_said_to_work() -> None:
    unasked = replace(WORKS, invocation=None, asked_to_invoke=False)

    assert diagnose(unasked).verdict == "nothing found"
    assert diagnose(replace(unasked, asked_to_invoke=True)).verdict == "unknown"
    assert diagnose(replace(unasked, live=None)).verdict == "unknown"
    assert diagnose(replace(unasked, logs=None)).verdict == "unknown"


def test_a_failed_invocation_is_not_said_to_work_even_without_a_cause() -> None:
    failed = replace(WORKS, invocation=Failed("Sandbox.Failure", ""))

    assert Diagnosis(failed, ()).verdict == "unknown"


_OPTIONAL = [
    field.name
    for field in fields(StageFacts)
    if field.name not in ("stage", "function_name", "unread")
]
_EMPTY = StageFacts(stage=WORKS.stage, function_name=WORKS.function_name)


def mixed(parts: dict[str, Situation | None]) -> StageFacts:
    values = {
        name: getattr(source.facts, name) for name, source in parts.items() if source is not None
    }
    return replace(_EMPTY, **values)


@pytest.mark.proof
@settings(max_examples=400, deadline=None)
@given(st.fixed_dictionaries({n: st.sampled_from((None, *SITUATIONS)) for n in _OPTIONAL}))
def test_any_mix_of_facts_is_answered_and_a_failed_invocation_never_works(
    parts: dict[str, Situation | None],
) -> None:
    facts = mixed(parts)

    diagnosis = diagnose(facts)

    assert as_text(diagnosis)
    assert msgspec.json.decode(printed_json(diagnosis))["verdict"] == diagnosis.verdict
    if not answers(facts.invocation):
        assert diagnosis.verdict != "works"
    if facts.invocation is not None and not answers(facts.invocation):
        assert diagnosis.verdict == "broken"
    for cause in diagnosis.causes:
        assert cause.evidence, cause.name
        assert cause.fix, cause.name


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(SITUATIONS), st.sets(st.sampled_from(_OPTIONAL)))
def test_with_any_facts_missing_a_failed_invocation_still_has_a_cause(
    situation: Situation, missing: set[str]
) -> None:
    facts = replace(
        situation.facts, **{name: getattr(_EMPTY, name) for name in missing - {"invocation"}}
    )
    diagnosis = diagnose(facts)

    if facts.invocation is not None and not answers(facts.invocation):
        assert diagnosis.causes


def test_images_of_several_rows_are_all_shown() -> None:
    both = ImageFacts(
        IMAGE.reference, (*image("C7", "mode 0644").findings, *image("C2", "x86_64").findings)
    )
    facts = replace(
        WORKS, live_image=both, invocation=Failed("Runtime.InvalidEntrypoint", "denied")
    )
    assert names(facts) == ["image-c7", "image-c2"]
