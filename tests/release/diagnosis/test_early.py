"""A stage that has nothing live: what is said of it, and what is not."""

import itertools
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from config.project import Stage
from release.diagnosis.diagnose import diagnose
from release.diagnosis.facts import (
    ABSENT,
    AlarmFacts,
    FailedResource,
    LogFacts,
    StackFacts,
    StageFacts,
)
from release.diagnosis.report import as_text
from release.diagnosis.rules import VERSION_RULES
from release.diagnosis.version_facts import live_version
from tests.support.release.diagnosis_situations import FUNCTION, STAGE, WORKS, line

KEEPS_DATA = Stage(STAGE.names, msgspec.structs.replace(STAGE.settings, retain_data=True))
STACK = STAGE.names.rooms_stack
FAILED = (
    FailedResource("RoomsApi", "AWS::ApiGatewayV2::Api", "CREATE_FAILED", "a limit of the account"),
)
STATES = (
    ABSENT,
    *(
        StackFacts(status, failures=FAILED if status.endswith(("FAILED", "COMPLETE")) else ())
        for status in (
            "REVIEW_IN_PROGRESS",
            "CREATE_IN_PROGRESS",
            "CREATE_FAILED",
            "ROLLBACK_IN_PROGRESS",
            "ROLLBACK_COMPLETE",
            "ROLLBACK_FAILED",
            "DELETE_IN_PROGRESS",
            "DELETE_FAILED",
        )
    ),
)
OF_A_RUNNING_STAGE = (
    "cdk destroy",
    "cdk drift",
    "release rollback",
    "release deploy",
    "--packaging zip",
    "create-alias",
    "The image starts",
    "restore-table",
)


TAKE_OVER = "python -m release deploy dev --import-existing-resources"
"""This deployment is a first one."""


def early(stack: Any, **facts: Any) -> StageFacts:
    return replace(
        WORKS,
        **{
            "stack": stack,
            "latest": ABSENT,
            "live": ABSENT,
            "alias": ABSENT,
            "invocation": None,
            "live_image": None,
            "deployment": None,
            "api_may_invoke": None,
            "concurrency": None,
            "logs": ABSENT,
            "table": ABSENT,
            "released": None,
            **facts,
        },
    )


def said(facts: StageFacts) -> str:
    return " ".join(as_text(diagnose(facts)).split())


@pytest.mark.parametrize("stack", STATES, ids=lambda stack: getattr(stack, "status", "no stack"))
@pytest.mark.parametrize("stage", [STAGE, KEEPS_DATA], ids=["loses data", "keeps data"])
def test_no_cause_speaks_of_a_function_that_runs_or_fails(stage: Stage, stack: Any) -> None:
    """Whatever else is left of an earlier stage of the same name, or could not be seen."""
    lines = LogFacts(60, (line("1-2 Task timed out after 20.00 seconds"),))
    for latest, table, logs, alarms in itertools.product(
        (ABSENT, None, FUNCTION),
        (ABSENT, None, "ACTIVE"),
        (ABSENT, lines),
        ((), (AlarmFacts("hima-five-bomber-dev-api-5xx"),)),
    ):
        facts = early(stack, stage=stage, latest=latest, table=table, logs=logs, alarms=alarms)
        diagnosis = diagnose(facts)
        text = as_text(diagnosis).replace(TAKE_OVER, "")

        assert [cause.likelihood for cause in diagnosis.causes] == ["certain"]
        assert [found for found in OF_A_RUNNING_STAGE if found in text] == []
        assert "nothing is live" in text


@pytest.mark.parametrize(
    ("stack", "first", "commands"),
    [
        (ABSENT, "never-deployed", ["python -m release ship dev"]),
        (StackFacts("REVIEW_IN_PROGRESS"), "never-deployed", ["python -m release ship dev"]),
        (
            StackFacts("CREATE_IN_PROGRESS"),
            "stack-under-way",
            [f"wait stack-create-complete --stack-name {STACK}", "python -m release diagnose dev"],
        ),
        (
            StackFacts("ROLLBACK_COMPLETE", failures=FAILED),
            "stack-stuck",
            ["RoomsApi", f"delete-stack --stack-name {STACK}", "python -m release ship dev"],
        ),
        (
            StackFacts("DELETE_FAILED", failures=FAILED),
            "stack-stuck",
            [f"delete-stack --stack-name {STACK}", "--retain-resources RoomsApi"],
        ),
    ],
    ids=lambda value: getattr(value, "status", None),
)
def test_the_way_from_there_is_told(stack: Any, first: str, commands: list[str]) -> None:
    facts = early(stack)

    assert [cause.name for cause in diagnose(facts).causes] == [first]
    text = said(facts)
    assert [command for command in commands if command not in text] == []


@pytest.mark.parametrize("stack", [ABSENT, StackFacts("ROLLBACK_COMPLETE", failures=FAILED)])
def test_a_table_that_was_kept_is_taken_over(stack: Any) -> None:
    """It would be in the way: its name is taken."""
    text = said(early(stack, stage=KEEPS_DATA, table="ACTIVE"))

    assert TAKE_OVER in text
    assert "release ship" not in text


def test_what_has_the_stacks_names_without_a_stack_is_to_go_first() -> None:
    [cause] = diagnose(early(ABSENT, latest=FUNCTION, table="ACTIVE")).causes

    assert [remedy.command.split()[:3] for remedy in cause.fix] == [
        ["aws", "lambda", "delete-function"],
        ["aws", "dynamodb", "delete-table"],
        ["python", "-m", "release"],
    ]


def test_rules_of_what_is_live_apply_as_soon_as_something_is() -> None:
    """Also while its stack is stuck in a deletion."""
    facts = replace(WORKS, stack=StackFacts("DELETE_FAILED", failures=FAILED), table=ABSENT)

    assert {cause.name for cause in diagnose(facts).causes} == {"stack-stuck", "table-missing"}


def test_no_rule_of_a_version_holds_for_a_table_alone() -> None:
    """Where the stack may not be seen, nothing says that the stage was ever deployed."""
    facts = early(None)

    assert [cause for rule in VERSION_RULES for cause in rule(live_version(facts))] == []
