"""README's "Deploy to AWS" in `make cloud`, word for word: without an account, without Docker."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import players
from tests.support.cdk_context import ROOT
from tests.support.documents import document
from tests.support.local.practice import PracticeAccount, commands, practice_account, section

pytestmark = [
    pytest.mark.proof,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("make cloud"),
]

README = document("README.md")
DEV, PRD = "hima-five-bomber-dev", "hima-five-bomber-prd"
FRIENDS = ["さくら", "たろう", "Bob", "五郎"]
HANDLERS = "lambda_src/rooms/handlers.py"


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeAccount]:
    with practice_account(tmp_path_factory.mktemp("cloud")) as account:
        yield account


@pytest.fixture(scope="module")
def deployed(account: PracticeAccount) -> PracticeAccount:
    """The account after all commands of the section, in a fresh clone."""
    found = commands(section(README, "## Deploy to AWS").blocks("console"))
    assert [command for command in found if command.startswith("make setup")]
    assert [command for command in found if command.startswith("python -m release ship")]
    account.passes(*found)
    return account


def single_steps() -> list[str]:
    """All commands of "Each step by itself": those in its sentences come first there."""
    page = section(document("docs/runbook.md"), "### Each step by itself")
    said = re.findall(r"`(npx cdk [^`]+)`", page.text)
    found = commands(page.blocks("console"))
    gates = ("build", "check", "boot", "push", "pin", "deploy", "promote")
    assert all(any(f"python -m release {gate} " in each for each in found) for gate in gates)
    return [*said, *found]


def test_readmes_commands_end_with_pages_that_play(
    deployed: PracticeAccount, browser: Browser
) -> None:
    pages = [deployed.output(f"{prefix}-web", "PageUrl") for prefix in (DEV, PRD)]
    assert len({*pages}) == 2
    for page in pages:
        with players(browser, page) as new_player:
            host = new_player()
            code = host.create("ひま")
            friends = [new_player() for _ in FRIENDS]
            for friend, name in zip(friends, FRIENDS, strict=True):
                friend.join(code, name)
            for player in (host, *friends):
                expect(player.seats).to_have_count(5)
                expect(player.page.get_by_text("5/5")).to_be_visible()


def test_a_second_one_in_the_same_folder_says_that_there_is_one(account: PracticeAccount) -> None:
    again = subprocess.run(
        [sys.executable, "-m", "local", "--cloud", "--port=0"],
        cwd=account.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.returncode == 2
    assert "another system runs in" in again.stderr
    assert "Traceback" not in again.stderr
    account.client("cloudformation").describe_stacks()  # The first one still answers.


def test_a_second_release_step_by_step_is_rolled_back(deployed: PracticeAccount) -> None:
    """The runbook's commands, with a change; then those of "When something breaks"."""
    first = deployed.live("dev")
    deployed.replace(HANDLERS, "Successfully left the room", "You have left the room")
    deployed.passes(
        'git commit --all --message "v2"', *single_steps(), "python -m release smoke dev"
    )
    second = deployed.live("dev")
    assert second != first
    assert deployed.live("prd") == second

    page = section(README, "## When something breaks")
    table = re.findall(r"`(python -m release [^`]+)`", page.text)
    assert {"diagnose", "rollback", "diff"} <= {command.split()[3] for command in table}
    rollback = next(command for command in table if " rollback " in command)
    deployed.passes(rollback, "python -m release smoke dev", "python -m release page dev")
    assert deployed.live("dev") == first
    assert deployed.live("prd") == second
    deployed.passes(*(command for command in table if command != rollback))


def test_a_destroyed_stage_is_gone_and_the_other_stays(
    deployed: PracticeAccount,
) -> None:
    url = deployed.output(f"{DEV}-web", "PageUrl")
    (destroy,) = commands(section(README, "## Cost and tear-down").blocks("console"))
    deployed.passes(destroy, "python -m release smoke prd")
    assert deployed.run(f"python -m release smoke {url}").failed
    assert "was never deployed" in deployed.run("python -m release smoke dev").output
    deployed.passes("python -m release ship dev", "python -m release smoke dev")
