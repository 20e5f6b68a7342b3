"""The stages of ``cdk.json``, as the workflows know them."""

import shlex
from itertools import pairwise

import pytest

from tests.support.cdk_context import ROOT
from tests.support.cdk_context import STAGES as ALL_STAGES
from tests.support.workflows.definitions import CREDENTIALS, JOBS, Job, workflow

STAGES = [stage for stage in ALL_STAGES if stage != "local"]
FIRST, LAST = STAGES[0], STAGES[-1]
RELEASE = workflow("release")
PULL_REQUEST = workflow("pull-request")


def arguments(job: Job, command: str) -> list[list[str]]:
    """What a command is given, each time that a job runs it."""
    lines = [shlex.split(step.run) for step in job.steps if step.command == command]
    return [line[line.index(command) + 1 :] for line in lines]


def test_the_first_stage_is_for_trying_and_the_last_is_for_players() -> None:
    assert (FIRST, LAST) == ("dev", "prd")


def test_one_cloud_assembly_has_every_stage_pinned() -> None:
    synth = RELEASE.job("synth")
    pinned = arguments(synth, "pin")
    assert [stage for stage, *_ in pinned] == STAGES
    assert pinned[0] == [FIRST]
    # Their repositories get the image when it is their turn.
    assert [options for _, *options in pinned[1:]] == [["--push-later"]] * len(STAGES[1:])
    assert arguments(synth, "synth") == [STAGES]
    assert arguments(synth, "push") == [[FIRST]]
    assert synth.definition["environment"] == FIRST


def test_the_assembly_is_put_away_before_the_image_is_started() -> None:
    build = RELEASE.job("build")
    assert [line[:-2] for line in arguments(build, "ship")] == [
        [*STAGES, "--until", "synth"],
        [*STAGES, "--until", "boot"],
    ]
    done = [step.command or step.given.get("name") for step in build.steps]
    assert done[-4:] == ["ship", "assemblies", "ship", "image"]
    (image,) = (step for step in build.steps if step.given.get("name") == "image")
    assert "build/assemblies" not in image.given["path"].splitlines()


def test_a_release_goes_from_gate_to_gate_and_from_stage_to_stage() -> None:
    assert [job.name for job in RELEASE.jobs] == ["verify", "build", "synth", *STAGES, "record"]
    assert RELEASE.job("verify").needs == []
    order = ["verify", "build", "synth", *STAGES]
    for before, after in pairwise(order):
        assert RELEASE.job(after).needs == [before]
    assert RELEASE.job("record").needs == STAGES


@pytest.mark.parametrize("name", ["verify", "build", "synth", *STAGES])
def test_nothing_that_failed_is_passed_by(name: str) -> None:
    job = RELEASE.job(name)
    assert "if" not in job.definition
    assert not [step for step in job.steps if "if" in step.definition]
    assert "continue-on-error" not in str(RELEASE.definition)
    assert "continue-on-error" not in str(workflow("deploy-stage").definition)


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_is_deployed_in_the_same_way(stage: str) -> None:
    job = RELEASE.job(stage)
    assert job.calls == workflow("deploy-stage")
    assert job.definition["with"] == {"stage": stage}


def test_a_stage_is_deployed_through_every_gate() -> None:
    (job,) = workflow("deploy-stage").jobs
    assert job.commands == ["push", "deploy", "diagnose", "smoke", "rollback", "page"]
    assert job.definition["environment"] == "${{ inputs.stage }}"
    for step in job.steps:
        if step.command:
            (given,) = arguments(job, step.command)
            assert given[0] == "$STAGE"


def test_every_stage_can_go_back() -> None:
    chosen = workflow("rollback").events["workflow_dispatch"]["inputs"]["stage"]
    assert sorted(chosen["options"]) == sorted(STAGES)
    assert chosen["default"] == LAST


def test_a_pull_request_is_compared_with_every_stage() -> None:
    assert PULL_REQUEST.job("diff").definition["strategy"] == {
        "fail-fast": False,
        "matrix": {"stage": STAGES},
    }
    # `make test` has validated the templates.
    assert arguments(PULL_REQUEST.job("synth"), "synth") == [[*ALL_STAGES, "--skip-validation"]]


def test_credentials_are_of_the_region_that_the_set_up_names() -> None:
    """A stage that is elsewhere names its Region in cdk.json, which comes first."""
    steps = [step for job in JOBS for step in job.using(CREDENTIALS)]
    assert {step.given["aws-region"] for step in steps} == {"${{ vars.AWS_REGION }}"}
    set_up = (ROOT / "docs/pipeline.md").read_text(encoding="utf-8")
    assert 'gh variable set AWS_REGION --body "$AWS_REGION"' in set_up
