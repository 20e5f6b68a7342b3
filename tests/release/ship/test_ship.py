"""The driver: which steps are run, what stops it, and what an interruption leaves."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.image_lock import write_pin
from config.project import Stage
from imagecheck.errors import CommandError, FailedError
from imagecheck.terminal import pass_on, say, step, warn
from release.deploy.cancel_deployment import InterruptedDeploymentError, Outcome
from release.errors import RefusedError
from release.ship.aws_steps import BOOTSTRAP
from release.ship.image_steps import COMMIT
from release.ship.lock_change import LockChange
from release.ship.ship import Journey
from release.ship.shipment import Shipment, ShipOptions
from release.ship.step import Step
from tests.support.release.checkout import PIN, Checkout, checkout


@pytest.fixture
def project(tmp_path: Path) -> Checkout:
    return checkout(tmp_path / "checkout")


@pytest.fixture
def shipment(project: Checkout) -> Shipment:
    return shipment_of(project)


def shipment_of(project: Checkout, **options: Any) -> Shipment:
    again = "python -m release ship dev --yes"
    given = {"skip_boot": False, "commit": True, "yes": True, "ask": False, **options}
    return Shipment(
        project=project.project,
        stage=project.stage("dev"),
        account="123456789012",
        options=ShipOptions(again=again, builder=None, build_arguments={}, **given),
        lock_change=LockChange(project.project, "dev"),
    )


@pytest.fixture
def journey(project: Checkout, tmp_path: Path) -> Iterator[Journey]:
    with (tmp_path / "ship.log").open("w", encoding="utf-8") as log:
        yield Journey(project.project, log, dry_run=False)


def a_step(
    name: str, run: Callable[[Shipment], str] = lambda _: "", done: str | None = None, **more: Any
) -> Step:
    return Step(name=name, done=lambda _: done, run=run, **more)


def raising(error: BaseException) -> Callable[[Shipment], str]:
    def run(_: Shipment) -> str:
        raise error

    return run


def log_of(journey: Journey) -> str:
    journey.log.flush()
    return Path(journey.log.name).read_text(encoding="utf-8")


def test_what_is_done_is_left_out_and_the_rest_is_run_in_order(
    journey: Journey, shipment: Shipment, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[str] = []

    def run(name: str) -> Step:
        return a_step(name, lambda _: ran.append(name) or f"what {name} gave")  # type: ignore[func-returns-value]

    journey.ship(shipment, [run("one"), a_step("two", done="it is there"), run("three")])

    assert ran == ["one", "three"]
    lines = capsys.readouterr().err.splitlines()
    assert [line.split() for line in lines] == [
        ["✓", "one", "0.0", "s", "what", "one", "gave"],
        ["·", "two", "it", "is", "there"],
        ["✓", "three", "0.0", "s", "what", "three", "gave"],
    ]
    assert [(taken.name, taken.outcome) for taken in journey.taken["dev"]] == [
        ("one", "done"),
        ("two", "skipped"),
        ("three", "done"),
    ]


def test_what_steps_say_is_in_the_log_and_warnings_are_shown_too(
    journey: Journey, shipment: Shipment, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(_: Shipment) -> str:
        with step("a part of it"):
            say("by the way")
        warn("WARNING: mind this")
        pass_on(b"what the CDK CLI writes\n")
        return ""

    journey.ship(shipment, [a_step("one", run)])

    shown = capsys.readouterr().err.splitlines()
    assert [line.strip() for line in shown] == ["WARNING: mind this", "✓ one           0.0 s"]
    assert [line for line in log_of(journey).splitlines() if ": 0." not in line] == [
        "",
        "== dev: one",
        "a part of it ...",
        "by the way",
        "WARNING: mind this",
        "what the CDK CLI writes",
    ]
    say("after it")
    assert capsys.readouterr().err == "after it\n"


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (
            RefusedError("it is wrong", hint="python -m release build dev"),
            "stopped at one: it is wrong",
        ),
        (
            FailedError("no credentials", hint="set AWS_PROFILE\nor: python -m release push dev"),
            "stopped at one: no credentials",
        ),
    ],
)
def test_the_first_no_stops_it_with_its_message_and_the_command_that_goes_on(
    journey: Journey, shipment: Shipment, error: CommandError, shown: str
) -> None:
    after: list[Shipment] = []

    with pytest.raises(type(error)) as stopped:
        journey.ship(
            shipment,
            [a_step("one", raising(error)), a_step("two", lambda s: after.append(s) or "")],  # type: ignore[func-returns-value]
        )

    assert (str(stopped.value), after) == (shown, [])
    *own, again = (stopped.value.hint or "").splitlines()
    assert again == "python -m release ship dev --yes"
    assert own == (["set AWS_PROFILE"] if isinstance(error, FailedError) else [])
    assert journey.taken["dev"][-1].outcome == "failed"


def test_an_image_that_a_gate_refuses_has_to_be_fixed_and_committed_first(
    journey: Journey, shipment: Shipment, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = a_step("check", raising(RefusedError("E3 The handler's function is missing")))
    monkeypatch.setattr("release.ship.ship.CHECK", check)
    with pytest.raises(RefusedError) as error:
        journey.ship(shipment, [check])
    assert error.value.hint == ("fix it and commit, then go on: python -m release ship dev --yes")


def test_a_deployment_that_a_gate_stopped_goes_on_with_the_cause(
    journey: Journey, shipment: Shipment, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = RefusedError("the hook says no", hint="python -m release diagnose dev")
    deploy = a_step("deploy", raising(stopped))
    monkeypatch.setattr("release.ship.ship.DEPLOY", deploy)
    with pytest.raises(RefusedError) as error:
        journey.ship(shipment, [deploy])
    assert error.value.hint == "python -m release diagnose dev"


def test_the_output_of_the_cdk_cli_is_shown_when_it_fails_and_only_then(
    journey: Journey, shipment: Shipment, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(error: CommandError | None) -> Callable[[Shipment], str]:
        def run(_: Shipment) -> str:
            pass_on(b"a line of the CLI's\n")
            if error:
                raise error
            return ""

        return run

    journey.ship(shipment, [a_step("one", run(None), runs_cdk=True)])
    assert "a line of the CLI's" not in capsys.readouterr().err

    with pytest.raises(FailedError):
        journey.ship(shipment, [a_step("one", run(FailedError("no")), runs_cdk=True)])
    assert capsys.readouterr().err.count("a line of the CLI's\n") == 1


def test_a_dry_run_runs_nothing_and_says_how_long_it_took_before(
    project: Checkout, shipment: Shipment, capsys: pytest.CaptureFixture[str]
) -> None:
    (project.root / "build").mkdir()
    (project.root / "build/step-times.json").write_text('{"one": 12.4}')
    dry = Journey(project.project, io.StringIO(), dry_run=True)

    dry.ship(shipment, [a_step("one", raising(AssertionError())), a_step("two", done="is there")])

    lines = [line.split() for line in capsys.readouterr().err.splitlines()]
    assert lines == [
        ["→", "one", "would", "run,", "about", "12", "s"],
        ["·", "two", "is", "there"],
    ]
    assert [taken.outcome for taken in dry.taken["dev"]] == ["planned", "skipped"]


def pins_and_commits(shipment: Shipment) -> str:
    shipment.pin = PIN
    write_pin(shipment.project.lock, "dev", PIN)
    shipment.lock_change.commit("Pin dev")
    return ""


def test_an_interruption_takes_pin_and_commit_back(
    project: Checkout, journey: Journey, shipment: Shipment
) -> None:
    lock, head = project.lock.read_bytes(), project.commit

    with pytest.raises(KeyboardInterrupt) as interruption:
        journey.ship(
            shipment, [a_step("pin", pins_and_commits), a_step("x", raising(KeyboardInterrupt()))]
        )

    assert str(interruption.value) == (
        "image-lock.json and what is live at dev are as they were\npython -m release ship dev --yes"
    )
    assert journey.taken["dev"][-1].name == "pin"
    assert (project.lock.read_bytes(), project.commit) == (lock, head)
    assert not project.project.revision().dirty
    assert shipment.lock_change.is_committed


@pytest.mark.parametrize("is_live", [True, False])
def test_an_interrupted_deployment_keeps_the_pin_where_it_is_live(
    project: Checkout, journey: Journey, shipment: Shipment, is_live: bool
) -> None:
    before = project.lock.read_bytes()
    outcome = Outcome("how it stands", hint="what to do", completed=is_live)

    with pytest.raises(KeyboardInterrupt) as interruption:
        journey.ship(
            shipment,
            [
                a_step("pin", pins_and_commits),
                a_step("deploy", raising(InterruptedDeploymentError(outcome))),
            ],
        )

    lock = "" if is_live else "; image-lock.json is as it was"
    assert str(interruption.value) == f"how it stands{lock}\nwhat to do"
    assert (project.lock.read_bytes() == before) is not is_live
    assert shipment.lock_change.is_committed


def test_a_gate_that_says_no_leaves_the_pin_for_the_next_run(
    project: Checkout, journey: Journey, shipment: Shipment
) -> None:
    with pytest.raises(RefusedError):
        journey.ship(
            shipment, [a_step("pin", pins_and_commits), a_step("x", raising(RefusedError("no")))]
        )
    assert b'"dev"' in project.lock.read_bytes()
    assert shipment.lock_change.is_committed


def test_who_declines_the_bootstrap_is_told_the_command(
    project: Checkout, journey: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("release.ship.ship.confirmed", lambda _: False)
    bootstrap = Step(name="bootstrap", done=lambda _: None, run=BOOTSTRAP.run)
    monkeypatch.setattr("release.ship.ship.BOOTSTRAP", bootstrap)

    with pytest.raises(RefusedError, match="is not bootstrapped for the CDK") as error:
        journey.ship(shipment_of(project, yes=False, ask=True), [bootstrap])

    assert error.value.hint == (
        "npx cdk bootstrap aws://123456789012/ap-northeast-1\npython -m release ship dev --yes"
    )


def test_a_stage_with_a_guard_needs_its_region_too(
    project: Checkout, journey: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("release.ship.ship.confirmed", lambda _: False)
    bootstrap = Step(name="bootstrap", done=lambda _: None, run=BOOTSTRAP.run)
    monkeypatch.setattr("release.ship.ship.BOOTSTRAP", bootstrap)
    shipment = shipment_of(project, yes=False, ask=True)
    settings = msgspec.structs.replace(shipment.stage.settings, requests_per_client=100)
    shipment.stage = Stage(shipment.stage.names, settings)

    with pytest.raises(RefusedError, match=r"ap-northeast-1 or .*us-east-1 is not boot") as error:
        journey.ship(shipment, [bootstrap])

    assert str(error.value.hint).splitlines()[0] == (
        "npx cdk bootstrap aws://123456789012/ap-northeast-1 aws://123456789012/us-east-1"
    )


def test_who_declines_the_commit_commits_alone(
    project: Checkout, journey: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("release.ship.ship.confirmed", asked.append)
    head = project.commit

    shipment = shipment_of(project, yes=False, ask=True)
    journey.ship(shipment, [COMMIT])

    assert asked == ["Commit image-lock.json?"]
    assert journey.taken["dev"][0].detail == "you commit the lock file yourself"
    assert project.commit == head
