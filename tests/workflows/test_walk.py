"""The workflows, walked step by step against an emulated AWS: how each story ends.

The stories follow each other in one account, as they do at GitHub; a test needs those that came
before its own, and no other.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from config.image_lock import ImagePin
from tests.support.workflows import runner
from tests.support.workflows.commands import RELEASE, commands
from tests.support.workflows.commits import does_not_answer_in_prd, does_not_start
from tests.support.workflows.runner import Run
from tests.support.workflows.world import STAGES, World, world

# A story is in the set-up of the first test that looks at it, and takes minutes on a slow machine.
pytestmark = [pytest.mark.proof, pytest.mark.xdist_group("walk"), pytest.mark.timeout(1800)]


@dataclass(frozen=True)
class Story:
    """A run, what was live and stored when it had ended, and what it proposes to pin.

    ``synths`` has, of each, whether templates were validated.
    """

    run: Run
    live: dict[str, str]
    images: dict[str, set[str]]
    pins: dict[str, ImagePin]
    synths: list[str]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("walk")) as place:
        yield place


def ended(place: World, run: Run) -> Story:
    return Story(
        run,
        {stage: place.live(stage) for stage in STAGES},
        {stage: place.images(stage) for stage in STAGES},
        place.proposed_pins(),
        place.synths(),
    )


@pytest.fixture(scope="module")
def good(place: World) -> Story:
    """A good commit is released, and what is proposed is merged."""
    story = ended(place, place.release("v1", place.main.head()))
    place.merge("pins")
    return story


@pytest.fixture(scope="module")
def no_start(place: World, good: Story) -> Story:
    """A commit whose image `check` finds nothing wrong with, and which does not start."""
    assert good
    before = place.main.head()
    story = ended(place, place.release("v2", does_not_start(place.main)))
    assert place.github.artifacts_of_run() == ["assemblies"]
    place.main.reset_to(before)
    return story


@pytest.fixture(scope="module")
def no_answer(place: World, good: Story) -> Story:
    """A commit that works everywhere but for players of prd."""
    assert good
    story = ended(place, place.release("v3", does_not_answer_in_prd(place.main)))
    place.merge("pins")
    return story


@pytest.fixture(scope="module")
def back(place: World, no_answer: Story) -> Story:
    """Somebody presses the button, for dev."""
    assert no_answer
    return ended(place, place.roll_back("dev"))


@pytest.fixture(scope="module")
def cancelled(place: World, no_answer: Story, back: Story) -> Story:
    """Somebody cancels a deployment to dev while CloudFormation works on it."""
    assert back
    with pytest.MonkeyPatch.context() as patch:
        # GitHub waits for 7.5 s; that the command hears of it is no matter of how fast it is here.
        patch.setattr(runner, "INTERRUPTED_SECONDS", 120)
        run = place.roll_back("dev", to=no_answer.live["dev"], cancelled=True)
    place.wait_until_idle("dev")
    return ended(place, run)


def assert_stopped_by_boot(run: Run) -> None:
    """See that `boot` has stopped a release, and that nothing came after it."""
    assert not run.succeeded
    assert run.done("verify")[-1] == "make test"
    assert commands(run, "build") == ["ship", "ship"]
    (failed,) = run.failed()
    assert failed.startswith(f"{RELEASE} ship dev prd --until boot")
    said = run.said(failed)
    assert "error: stopped at boot: " in said
    assert "QUIZ_TABLE" in said
    assert run.results == {
        "verify": "success",
        "build": "failure",
        **dict.fromkeys(["synth", "dev", "prd", "record"], "skipped"),
    }


def test_a_good_commit_goes_through_every_gate_and_to_both_stages(good: Story) -> None:
    run = good.run

    assert run.succeeded, run.failed()
    assert run.done("verify")[-1] == "make test"
    assert commands(run, "build") == ["ship", "ship"]
    assert commands(run, "synth") == ["push", "pin", "pin", "synth"]
    for stage in STAGES:
        assert commands(run, f"{stage}/deploy") == ["push", "deploy", "smoke", "page"]
    assert commands(run, "record") == ["propose"]


def test_both_stages_get_the_image_that_was_built_and_it_is_proposed_to_pin_it(
    good: Story,
) -> None:
    built = good.run.said(f"{RELEASE} ship")

    assert good.live["dev"] == good.live["prd"]
    assert good.live["dev"] in built
    assert good.images == {stage: {good.live["dev"]} for stage in STAGES}
    assert {stage: pin.digest for stage, pin in good.pins.items()} == good.live


def test_it_is_synthesized_once_and_both_stages_are_deployed_from_that(good: Story) -> None:
    lines = [step.does for step in good.run.steps if step.outcome != "skipped"]

    assert good.synths == ["true"]
    assert [line for line in lines if "release synth " in line] == [f"{RELEASE} synth dev prd"]
    deployed = [line for line in lines if " deploy " in line or " page " in line]
    assert len(deployed) == 2 * len(STAGES)
    assert all("--assembly build/assembly" in line for line in deployed)
    for step in good.run.steps:
        if step.does in deployed:
            assert "Bundling asset" not in step.said


def test_an_image_that_does_not_boot_is_not_pushed(good: Story, no_start: Story) -> None:
    assert_stopped_by_boot(no_start.run)
    assert (no_start.live, no_start.images) == (good.live, good.images)


def test_prd_goes_back_by_itself_when_it_does_not_answer(good: Story, no_answer: Story) -> None:
    run = no_answer.run

    assert not run.succeeded
    assert commands(run, "dev/deploy") == ["push", "deploy", "smoke", "page"]
    assert commands(run, "prd/deploy") == ["push", "deploy", "smoke", "rollback"]
    assert run.failed() == [f'{RELEASE} smoke "$STAGE"']
    assert "status 500" in run.said(f"{RELEASE} smoke")
    assert no_answer.live["prd"] == good.live["prd"]
    assert no_answer.live["dev"] != good.live["dev"]


def test_going_back_needs_one_synth_more_without_the_gate(no_answer: Story, back: Story) -> None:
    """Of what was released before: its templates have been through the gate."""
    assert no_answer.synths == ["true", "false"]
    assert back.synths == ["false"]


def test_what_is_proposed_after_it_is_what_the_stages_run(no_answer: Story) -> None:
    assert commands(no_answer.run, "record") == ["propose"]
    assert {stage: pin.digest for stage, pin in no_answer.pins.items()} == no_answer.live


def test_the_button_takes_a_stage_back_and_leaves_the_other(good: Story, back: Story) -> None:
    assert back.run.succeeded, back.run.failed()
    assert commands(back.run, "rollback") == ["rollback"]
    assert back.live == good.live
    assert {stage: pin.digest for stage, pin in back.pins.items()} == good.live


def test_a_cancelled_job_leaves_a_stage_that_works(place: World, cancelled: Story) -> None:
    (step,) = [step for step in cancelled.run.steps if step.outcome == "cancelled"]

    assert " rollback " in step.does
    assert "interrupted" in step.said
    assert place.answers("dev")
