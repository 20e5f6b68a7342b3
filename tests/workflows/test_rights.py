"""The rights of workflows: tokens, roles, and code from unknown people."""

import re

import pytest

from tests.support.workflows.definitions import (
    CREDENTIALS,
    DEPLOY_STAGE,
    JOBS,
    STEPS,
    WORKFLOWS,
    Job,
    Step,
    Workflow,
    strings,
    workflow,
)

BASE = "${{ github.event.pull_request.base.sha }}"
CHECKOUT = "actions/checkout"
# What changes something at AWS, and takes it back when it is interrupted.
CHANGES_AWS = {"push", "deploy", "rollback", "page"}
CHANGES_STAGE = CHANGES_AWS - {"push"}
WRITES_TO_GITHUB = {"propose", "comment"}
EVERY_JOB = pytest.mark.parametrize("job", JOBS, ids=str)
EVERY_WORKFLOW = pytest.mark.parametrize("workflow", WORKFLOWS, ids=str)
FOR_PULL_REQUESTS = [
    flow for flow in WORKFLOWS if {"pull_request", "pull_request_target"} & set(flow.events)
]


def least(job: Job) -> dict[str, str]:
    """The permissions without which a job's steps, or those of the one it calls, fail."""
    needed: dict[str, str] = {}
    for each in job.calls.jobs if job.calls else [job]:
        if each.using(CHECKOUT):
            needed.setdefault("contents", "read")
        if each.using(CREDENTIALS):
            needed["id-token"] = "write"
        if "propose" in each.commands:
            needed["contents"] = "write"
        if WRITES_TO_GITHUB & set(each.commands):
            needed["pull-requests"] = "write"
    return needed


def without_tokens(step: Step) -> dict[str, object]:
    """A step, but for the token of one that writes to GitHub."""
    if step.command not in WRITES_TO_GITHUB:
        return dict(step.definition)
    rest = {
        name: value
        for name, value in step.definition.get("env", {}).items()
        if (name, value) != ("GITHUB_TOKEN", "${{ github.token }}")
    }
    return {**step.definition, "env": rest}


@EVERY_WORKFLOW
def test_a_workflow_may_do_nothing(workflow: Workflow) -> None:
    assert workflow.definition["permissions"] == {}


@EVERY_JOB
def test_a_job_may_do_what_its_steps_need_and_nothing_else(job: Job) -> None:
    assert job.definition.get("permissions") == least(job)


@EVERY_WORKFLOW
def test_no_key_is_stored_anywhere(workflow: Workflow) -> None:
    for text in strings(workflow.definition):
        assert "secrets" not in text.casefold()
        assert "AWS_" not in text.replace("vars.AWS_REGION", "")
        assert "access-key" not in text


@EVERY_JOB
def test_a_token_is_given_to_what_writes_to_github_and_to_nothing_else(job: Job) -> None:
    rest = {**job.definition, "steps": [without_tokens(step) for step in job.steps]}
    for text in strings(rest):
        assert "github.token" not in text
        assert "GITHUB_TOKEN" not in text
        # The whole context has the token in it.
        assert "toJSON(github)" not in text
    for step in job.steps:
        if step.command in WRITES_TO_GITHUB:
            assert "GITHUB_TOKEN" in step.definition["env"]


@EVERY_WORKFLOW
def test_no_variable_of_a_whole_workflow(workflow: Workflow) -> None:
    assert "env" not in workflow.definition


@pytest.mark.parametrize("step", [s for _, s in STEPS if s.action == CHECKOUT])
def test_a_checkout_keeps_no_token(step: Step) -> None:
    assert step.given["persist-credentials"] is False


@EVERY_JOB
def test_what_changes_aws_is_told_of_a_cancellation(job: Job) -> None:
    """The first process of a step is, and no other."""
    for step in job.steps:
        if step.command in CHANGES_AWS:
            assert step.run.startswith("exec "), step.run


@EVERY_JOB
def test_credentials_are_there_before_what_asks_aws(job: Job) -> None:
    asks_aws = CHANGES_AWS | {"pin", "diff", "diagnose"}
    names = [step.action or step.command for step in job.steps]
    if asking := asks_aws & set(names):
        assert names.index(CREDENTIALS) < min(names.index(name) for name in asking)


@EVERY_JOB
def test_the_role_that_deploys_is_taken_in_an_environment(job: Job) -> None:
    takes = any("DEPLOY_ROLE" in text for text in strings(job.definition))
    assert takes == ("environment" in job.definition)
    if CHANGES_AWS & set(job.commands):
        assert takes


@EVERY_JOB
def test_a_stage_is_changed_by_one_job_at_a_time_to_its_end(job: Job) -> None:
    if CHANGES_STAGE & set(job.commands):
        assert job.definition["concurrency"] == {
            "group": f"stage-{job.definition['environment']}",
            "cancel-in-progress": False,
        }


def test_every_job_that_changes_a_stage_is_known() -> None:
    changing = [str(job) for job in JOBS if CHANGES_STAGE & set(job.commands)]
    assert changing == ["deploy-stage-deploy", "rollback-rollback"]


@EVERY_WORKFLOW
def test_what_changes_aws_is_never_cancelled_by_the_next_run(workflow: Workflow) -> None:
    def changes(job: Job) -> bool:
        return bool(job.calls or CHANGES_AWS & set(job.commands))

    if any(map(changes, workflow.jobs)) and "workflow_call" not in workflow.events:
        assert workflow.definition["concurrency"]["cancel-in-progress"] is False


@pytest.mark.parametrize("workflow", FOR_PULL_REQUESTS, ids=str)
def test_a_pull_request_deploys_nothing(workflow: Workflow) -> None:
    assert not [job.name for job in workflow.jobs if "environment" in job.definition]
    assert not [job.name for job in workflow.jobs if job.calls]
    assert "DEPLOY_ROLE" not in " ".join(strings(workflow.definition))
    assert not [job.name for job in workflow.jobs if CHANGES_AWS & set(job.commands)]


@pytest.mark.parametrize(
    "job",
    [
        job
        for flow in FOR_PULL_REQUESTS
        for job in flow.jobs
        if "write" in job.definition.get("permissions", {}).values()
    ],
    ids=str,
)
def test_a_job_with_rights_runs_the_code_of_the_base_branch(job: Job) -> None:
    checkouts = job.using(CHECKOUT)
    here = [step for step in checkouts if "path" not in step.given]
    assert [step.given["ref"] for step in here] == [BASE]
    assert job.steps[0] == here[0]
    assert {step.given["path"] for step in checkouts if step not in here} <= {"change"}


def test_credentials_are_not_for_forks() -> None:
    """GitHub gives their jobs no token, so the job would fail for no fault of theirs."""
    condition = workflow("pull-request").job("diff").definition["if"]
    assert "vars.DIFF_ROLES != ''" in condition
    assert "github.event.pull_request.head.repo.full_name == github.repository" in condition


def test_what_a_stranger_has_written_is_only_read() -> None:
    targets = [flow for flow in WORKFLOWS if "pull_request_target" in flow.events]
    assert [flow.name for flow in targets] == ["pull-request-comment"]
    (job,) = targets[0].jobs
    base, setup, change, *rest = job.steps
    assert (base.action, setup.run, change.action) == (CHECKOUT, "make setup", CHECKOUT)
    assert change.given["path"] == "change"
    assert change.given["sparse-checkout"].split() == [
        "/image-lock.json",
        "/tests/stacks/__snapshots__/",
    ]
    assert change.given["sparse-checkout-cone-mode"] is False
    assert [step.command for step in rest] == ["changes", "comment"]


def test_what_a_fork_starts_with_rights_reads_no_secret_and_takes_no_role() -> None:
    (flow,) = [flow for flow in WORKFLOWS if "pull_request_target" in flow.events]
    texts = " ".join(strings(flow.definition))
    assert set(re.findall(r"\bsecrets\b|\bvars\.\w+|github\.token", texts)) == {"github.token"}
    (job,) = flow.jobs
    assert job.definition["permissions"] == {"contents": "read", "pull-requests": "write"}
    assert job.using(CREDENTIALS) == []
    # What writes the comment is alone with the token, and is the base branch's.
    holders = [step for step in job.steps if "github.token" in " ".join(strings(step.definition))]
    assert [step.command for step in holders] == ["comment"]


def test_no_other_workflow_is_started_by_what_a_stranger_can_do() -> None:
    started = {event for flow in WORKFLOWS for event in flow.events}
    assert started == {
        "push",
        "pull_request",
        "pull_request_target",
        "schedule",
        "workflow_call",
        "workflow_dispatch",
    }
    assert workflow("release").events["push"] == {"tags": ["v*"]}
    assert {job.calls.path for job in JOBS if job.calls} == {DEPLOY_STAGE}
