"""The first line of a command that talks to AWS, and what it says where it cannot."""

import pytest

from tests.support.release.commanding import Run
from tests.support.release.deployed_stage import DeployedStage

PLACE = "account 123456789012, Region ap-northeast-1"
ASKING = ["diff", "deploy", "page", "smoke", "rollback", "diagnose"]
"""`push`, `pin` and `promote` are in test_push_pin_promote.py: they need an image."""


@pytest.fixture
def pinned(dev: DeployedStage) -> DeployedStage:
    dev.pin(dev.push())
    return dev


@pytest.mark.usefixtures("pinned")
@pytest.mark.parametrize("command", ASKING)
def test_it_names_account_and_region_first(command: str, run: Run) -> None:
    _, _, err = run(command, "dev")

    assert err.splitlines()[0] == f"dev: {PLACE}"


@pytest.mark.parametrize("command", ASKING)
def test_without_credentials_it_says_so_at_once(
    command: str, pinned: DeployedStage, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The CDK CLI is not started: it would synthesize first."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")

    status, out, err = run(command, "dev")

    assert (status, out) == (2, "")
    assert "dev, Region ap-northeast-1: no AWS credentials are found" in err.splitlines()[0]
    assert err.splitlines()[-1] == "hint: set AWS_PROFILE, or run `aws sso login`"
    assert (pinned.called, pinned.synthesized) == ([], [])


@pytest.mark.parametrize("command", ASKING)
def test_without_a_region_it_says_what_to_do(
    command: str, pinned: DeployedStage, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_REGION")

    status, out, err = run(command, "dev")

    assert (status, out) == (2, "")
    assert err.splitlines()[0].startswith("error: no Region is known for dev")
    assert "hint: for this shell: export AWS_REGION=" in err
    assert (pinned.called, pinned.synthesized) == ([], [])


@pytest.mark.usefixtures("pinned")
def test_another_region_is_looked_in(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")

    _, _, err = run("smoke", "dev")

    there = "account 123456789012, Region us-east-1"
    assert err.startswith(f"dev: {there}\nerror: dev was never deployed in {there}")
