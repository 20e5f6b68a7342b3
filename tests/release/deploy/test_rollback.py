"""`release rollback`: what it goes back to, and a lock file that says what is live."""

import errno
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from config.image_lock import ImagePin, read_image_lock, write_pin
from imagecheck.errors import FailedError
from release.cli import main
from release.deploy.rollback import pinned
from tests.support.imagecheck.http_server import Answer, serving
from tests.support.release.deployed_stage import Cdk, DeployedStage
from tests.support.release.rooms_api import RoomsApi
from tests.support.waiting import waiting

Run = Callable[..., tuple[int, str, str]]
GONE = "sha256:" + "9" * 64


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run_main(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["release", "rollback", "dev", *arguments])
        status = main()
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return status, printed.out, printed.err

    return run_main


@pytest.fixture
def three(dev: DeployedStage) -> DeployedStage:
    """The stage after three releases; its CLI deploys what the lock file pins."""

    def cdk(_: Sequence[str]) -> Cdk:
        dev.release(dev.pinned())
        return Cdk()

    dev.cdk = cdk
    for _ in range(3):
        dev.pin(dev.push())
        dev.release(dev.pinned())
    return dev


def live_digest(dev: DeployedStage) -> str:
    found = dev.client("lambda").get_function(
        FunctionName=dev.stage.names.function, Qualifier="live"
    )
    return str(found["Code"]["ResolvedImageUri"].rpartition("@")[2])


# --- going back ---------------------------------------------------------------------------------


def test_back_to_what_was_before(three: DeployedStage, run: Run, dynamodb_endpoint: str) -> None:
    other_stage = read_image_lock(three.project.lock)["prd"]
    api = RoomsApi(dynamodb_endpoint)
    with serving(api) as server:
        status, out, err = run("--url", server.url)

    second = three.pins[1]
    assert status == 0
    assert live_digest(three) == second.digest
    # The entry is what it was, its time too.
    assert read_image_lock(three.project.lock) == {"dev": second, "prd": other_stage}
    assert out.splitlines()[:3] == [
        "dev is live",
        f"  runs     {second.digest}",
        f"  version  3 → 4 of {three.stage.names.function}",
    ]
    assert (
        "image-lock.json pins it now: git add image-lock.json &&"
        f" git commit -m 'Roll dev back to {second.source_revision[:12]}'"
    ) in err.splitlines()


@pytest.mark.proof
def test_again_it_goes_further_back(three: DeployedStage, run: Run) -> None:
    assert run("--skip-smoke")[0] == 0
    assert run("--skip-smoke")[0] == 0
    assert live_digest(three) == three.pins[0].digest
    lock = three.project.lock.read_bytes()

    status, _, err = run("--skip-smoke")

    assert status == 1
    assert "dev ran no other image before version 5" in err
    assert "python -m release deploy dev --packaging zip" in err
    assert three.project.lock.read_bytes() == lock


def test_to_a_digest(three: DeployedStage, run: Run) -> None:
    status, out, _ = run("--to", three.pins[0].digest, "--skip-smoke", "--json")

    assert status == 0
    assert json.loads(out)["digest"] == three.pins[0].digest
    assert three.pinned() == three.pins[0]


@pytest.mark.proof
def test_from_a_checkout_whose_lock_file_knows_nothing(three: DeployedStage, run: Run) -> None:
    """History is in AWS: it is any laptop's, also one that has not pulled for weeks."""
    three.project.lock.write_text("{}\n")

    assert run("--skip-smoke")[0] == 0
    assert read_image_lock(three.project.lock) == {"dev": three.pins[1]}


@pytest.mark.proof
def test_from_a_pin_that_was_never_deployed(three: DeployedStage, run: Run) -> None:
    """What a gate has stopped is in the lock file only: back means before what is live."""
    three.pin(three.push())

    assert run("--skip-smoke")[0] == 0
    assert three.pinned() == three.pins[1]


@pytest.mark.proof
def test_from_a_zip(three: DeployedStage, run: Run) -> None:
    """The image that ran last is a function of its own again, so no canary watches it."""
    three.release(None)

    status, _, err = run("--skip-smoke", "--emergency")

    assert status == 0
    assert live_digest(three) == three.pins[2].digest
    assert "A function cannot change from zip to image" in err


@pytest.mark.proof
def test_an_emergency(three: DeployedStage, run: Run) -> None:
    status, _, err = run("--emergency", "--skip-smoke")

    assert status == 0
    assert "--context=emergency=true" in three.synthesized[0]
    assert "EMERGENCY: the new version gets all traffic at once" in err


@pytest.mark.proof
def test_an_api_that_answers_wrongly_afterwards(three: DeployedStage, run: Run) -> None:
    """The lock file says what is live, also when that is no better."""
    with serving(lambda _: Answer(500)) as server:
        status, _, err = run("--url", server.url)

    assert status == 1
    assert "dev is deployed (version 4)" in err
    assert three.pinned() == three.pins[1]
    assert live_digest(three) == three.pins[1].digest


# --- what stands in the way ---------------------------------------------------------------------


def refuses(dev: DeployedStage, run: Run, *arguments: str, status: int = 1) -> str:
    before = dev.project.lock.read_bytes()
    called = len(dev.called)

    found, out, err = run(*arguments)

    assert (found, out) == (status, "")
    assert len(dev.called) == called
    assert dev.project.lock.read_bytes() == before
    return err


def test_an_image_that_has_gone(three: DeployedStage, run: Run) -> None:
    three.delete(three.pins[1])

    err = refuses(three, run)

    assert f"{three.pins[1].digest} is no longer there" in err
    assert f"roll back further: python -m release rollback dev --to {three.pins[0].digest}" in err


def test_all_older_images_have_gone(three: DeployedStage, run: Run) -> None:
    three.delete(three.pins[0])
    three.delete(three.pins[1])

    err = refuses(three, run)

    assert err.endswith(" without an image: python -m release deploy dev --packaging zip\n")
    assert "no older image is there" in err


def test_a_digest_that_was_never_deployed(three: DeployedStage, run: Run) -> None:
    never = three.push()

    err = refuses(three, run, "--to", never.digest)

    assert f"{never.digest} was never deployed at dev" in err
    assert "python -m release rollback dev --list" in err


def test_a_stage_that_was_never_deployed(dev: DeployedStage, run: Run) -> None:
    err = refuses(dev, run)

    assert err.startswith("dev: account 123456789012, Region ap-northeast-1\n")
    assert (
        "dev was never deployed in account 123456789012, Region ap-northeast-1, so there is"
        " nothing to roll back to\nhint: if it is elsewhere: AWS_REGION names the Region" in err
    )


@pytest.mark.proof
def test_what_no_deployment_left_there(three: DeployedStage, run: Run) -> None:
    """Somebody moved the alias by hand: what was before that, nobody wrote down."""
    by_hand = three.push()
    version = three.publish(by_hand)
    three.client("lambda").update_alias(
        FunctionName=three.stage.names.function, Name="live", FunctionVersion=version
    )

    err = refuses(three, run)

    assert f"version {version} ({by_hand.digest}) is live, and no release deployed it" in err
    assert run("--to", three.pins[2].digest, "--skip-smoke")[0] == 0


def test_a_lock_file_that_cannot_be_read(three: DeployedStage, run: Run) -> None:
    three.project.lock.write_text("<<<<<<< HEAD")

    assert "image-lock.json" in refuses(three, run, status=2)


def test_no_credentials(three: DeployedStage, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    assert "no AWS credentials are found" in refuses(three, run, status=2)


# --- what goes wrong on the way: the lock file is as it was, byte for byte -----------------------


@pytest.mark.proof
@pytest.mark.parametrize("reason", ["cloudformation", "cli"])
def test_a_deployment_that_fails(three: DeployedStage, run: Run, reason: str) -> None:
    three.project.lock.write_bytes(three.project.lock.read_bytes() + b"\n\n")
    before = three.project.lock.read_bytes()

    def cdk(_: Sequence[str]) -> Cdk:
        assert three.pinned() == three.pins[1]
        if reason == "cloudformation":
            three.failed("Function1", "AWS::Lambda::Function", "no")
        return Cdk(status=1)

    three.cdk = cdk

    assert run()[0] == (1 if reason == "cloudformation" else 2)
    assert three.project.lock.read_bytes() == before
    assert not three.project.lock.with_suffix(".tmp").exists()


@pytest.mark.proof
def test_pins_of_others_stay_when_a_deployment_fails(three: DeployedStage, run: Run) -> None:
    def cdk(_: Sequence[str]) -> Cdk:
        write_pin(three.project.lock, "local", three.pins[2])
        return Cdk(status=1)

    three.cdk = cdk
    before = read_image_lock(three.project.lock)

    assert run()[0] == 2
    assert read_image_lock(three.project.lock) == {**before, "local": three.pins[2]}


@pytest.mark.proof
def test_a_pin_that_somebody_gave_the_stage_meanwhile_stays(three: DeployedStage, run: Run) -> None:
    def cdk(_: Sequence[str]) -> Cdk:
        three.pin(three.pins[0])
        return Cdk(status=1)

    three.cdk = cdk

    _, _, err = run()

    assert three.pinned() == three.pins[0]
    assert "image-lock.json keeps the pin of dev: another command has changed it" in err


def test_two_at_once_come_one_after_the_other(
    three: DeployedStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the second takes the first one's pin for what was there, and brings it back."""

    def second() -> None:
        with pinned(three.project, three.stage, three.pins[0]):
            assert read_image_lock(three.project.lock)["dev"] == three.pins[0]

    first = ExitStack()
    first.enter_context(pinned(three.project, three.stage, three.pins[1]))
    with waiting(monkeypatch, second), suppress(FailedError), first:
        assert three.pinned() == three.pins[1]
        raise FailedError("it fails")
    assert three.pinned() == three.pins[0]


@pytest.mark.proof
def test_a_lock_file_that_cannot_be_put_back(
    three: DeployedStage, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Sequence[str]) -> Cdk:
        def write(*_: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(Path, "write_bytes", write)
        return Cdk(status=1)

    three.cdk = full

    status, _, err = run()

    assert status == 2
    assert "image-lock.json could not be restored: No space left on device" in err
    assert "git checkout image-lock.json" in err


@pytest.mark.proof
def test_another_deployment_is_under_way(three: DeployedStage, run: Run) -> None:
    three.stack("IN_PROGRESS", FunctionName=three.stage.names.function)

    assert "another deployment is in progress" in refuses(three, run)


@pytest.mark.proof
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted(
    three: DeployedStage, run: Run, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    before = three.project.lock.read_bytes()
    monkeypatch.setattr("release.deploy.cancel_deployment.LOOKS", 1)
    three.cdk = lambda _: Cdk(hangs=True)
    three.on_child = lambda: os.kill(os.getpid(), number)

    status, _, err = run()

    assert status == 2
    assert "error: interrupted; nothing was deployed, and live stays at version 3" in err
    assert three.project.lock.read_bytes() == before


@pytest.mark.proof
def test_interrupted_too_late(three: DeployedStage, run: Run) -> None:
    """CloudFormation was done: the lock file says what is live."""

    def cdk(_: Sequence[str]) -> Cdk:
        three.release(three.pinned())
        return Cdk(hangs=True)

    three.cdk = cdk
    three.on_child = lambda: os.kill(os.getpid(), signal.SIGINT)

    status, _, err = run()

    assert status == 2
    assert "interrupted; but it came too late: dev is deployed" in err
    assert three.pinned() == three.pins[1]
    assert live_digest(three) == three.pins[1].digest


# --- the list -----------------------------------------------------------------------------------


def listed(pin: ImagePin) -> str:
    return f"{pin.digest}  {pin.source_revision[:12]}  pinned {pin.pinned_at}"


def test_the_list(three: DeployedStage, run: Run) -> None:
    three.release(None)
    three.release(three.pins[0])

    status, out, _ = run("--list")

    lines = out.splitlines()
    assert status == 0
    assert [line[:5] for line in lines[:-1]] == ["*   5", "    4", "    3", "    2", "    1"]
    assert [
        line.endswith(listed(pin))
        for line, pin in zip(
            (lines[0], lines[2], lines[3], lines[4]),
            (three.pins[0], three.pins[2], three.pins[1], three.pins[0]),
            strict=True,
        )
    ] == [True] * 4
    assert lines[1].endswith("a zip")
    assert lines[-1] == "* is live"
    assert three.called == []


@pytest.mark.proof
def test_the_list_in_json(three: DeployedStage, run: Run) -> None:
    three.release(None)

    status, out, _ = run("--list", "--json")

    document = json.loads(out)
    assert status == 0
    assert [(one["version"], one["packaging"], one["live"]) for one in document["releases"]] == [
        (4, "zip", True),
        (3, "image", False),
        (2, "image", False),
        (1, "image", False),
    ]
    newest, image = document["releases"][:2]
    assert (newest["digest"], newest["sourceRevision"], newest["pinnedAt"]) == (None,) * 3
    assert image["digest"] == three.pins[2].digest
    assert image["sourceRevision"] == three.pins[2].source_revision
    assert image["pinnedAt"] == three.pins[2].pinned_at


@pytest.mark.usefixtures("dev")
def test_the_list_of_what_was_never_deployed(run: Run) -> None:
    status, out, _ = run("--list")

    assert status == 0
    assert out.splitlines()[0] == (
        "dev was never deployed in account 123456789012, Region ap-northeast-1"
    )


def test_help(run: Run) -> None:
    status, out, _ = run("--help")

    assert status == 0
    assert all(word in out for word in ("--to", "--list", "--emergency", "changed only when"))
