"""`ship` in `make cloud`: killed or interrupted at each step, and run again."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from release.ship.ship import BUILT, LOG
from tests.support.local.practice import PracticeAccount, practice_account

pytestmark = [
    pytest.mark.proof,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("ship killed and interrupted"),
]

STEPS = [step.name for step in BUILT]
HANDLERS = "lambda_src/rooms/handlers.py"
INTERRUPTED = 2
_PATIENCE_S = 300


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeAccount]:
    with practice_account(tmp_path_factory.mktemp("cloud")) as account:
        yield account


def test_killed_at_each_step_and_run_again_it_ends_well(account: PracticeAccount) -> None:
    reached = [step for step in STEPS if send_at(account, step, signal.SIGKILL) == -signal.SIGKILL]
    status, said = ship(account)

    assert status == 0, said
    assert reached == STEPS
    assert git(account, "status", "--porcelain") == ""
    # The pin was committed once, whatever was killed in between.
    assert git(account, "log", "--format=%s").splitlines()[:-1] == ["Pin dev"]
    assert live_digest(account) == pinned_digest(account)


def test_an_interruption_leaves_lock_and_alias_as_they_were(account: PracticeAccount) -> None:
    status, said = ship(account)
    assert status == 0, said
    with (account.checkout / HANDLERS).open("a", encoding="utf-8") as handlers:
        handlers.write("# changed\n")
    git(account, "commit", "--quiet", "--all", "--message=changed")
    lock, head, live = lock_of(account), git(account, "rev-parse", "HEAD"), live_digest(account)

    for step in ("build", "synth", "check", "boot", "push", "pin", "commit", "deploy"):
        assert send_at(account, step, signal.SIGINT) == INTERRUPTED, step
        if live_digest(account) == live:
            assert lock_of(account) == lock, step
            assert git(account, "rev-parse", "HEAD") == head, step
        else:
            # CloudFormation had finished: then the lock file names what is live.
            assert step == "deploy"
            assert pinned_digest(account) == live_digest(account)
        assert git(account, "status", "--porcelain") == "", step

    for step in ("page", "smoke"):
        assert send_at(account, step, signal.SIGTERM) == INTERRUPTED, step
        assert pinned_digest(account) == live_digest(account) != live, step
    status, said = ship(account)
    assert status == 0, said


def start(account: PracticeAccount) -> subprocess.Popen[str]:
    (account.checkout / LOG).unlink(missing_ok=True)
    return subprocess.Popen(
        [
            *("bash", "-c"),
            "source .local/cloud/activate && exec python -m release ship dev --yes",
        ],
        cwd=account.folder,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ship(account: PracticeAccount) -> tuple[int, str]:
    process = start(account)
    said, _ = process.communicate(timeout=_PATIENCE_S)
    return process.returncode, said


def send_at(account: PracticeAccount, step: str, number: signal.Signals) -> int:
    """Ship, send a signal once a step runs, and return the exit status."""
    process = start(account)
    log = account.checkout / LOG
    deadline = time.monotonic() + _PATIENCE_S
    while process.poll() is None and time.monotonic() < deadline:
        if log.exists() and f"== dev: {step}\n" in log.read_text(encoding="utf-8"):
            process.send_signal(number)
            break
        time.sleep(0.01)
    process.communicate(timeout=_PATIENCE_S)
    return process.returncode


def lock_of(account: PracticeAccount) -> bytes:
    return (account.checkout / "image-lock.json").read_bytes()


def pinned_digest(account: PracticeAccount) -> str:
    return str(json.loads(lock_of(account))["dev"]["digest"])


def live_digest(account: PracticeAccount) -> str:
    function = account.client("lambda").get_function(
        FunctionName="hima-five-bomber-dev-rooms", Qualifier="live"
    )
    return str(function["Code"]["ResolvedImageUri"].partition("@")[2])


def git(account: PracticeAccount, *arguments: str) -> str:
    identity = ["-c", "user.name=A. Person", "-c", "user.email=person@example.com"]
    return subprocess.run(
        ["git", *identity, *arguments],
        cwd=Path(account.checkout),
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
