"""In `make cloud`, three commands end with a page that plays, and a broken image at its gate."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import players
from tests.support.imagecheck.programs import HOST, OTHER, OTHER_MACHINE
from tests.support.local.practice import PracticeAccount, practice_account
from tests.support.release.stand_in_base import push_base

pytestmark = [
    pytest.mark.proof,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("make cloud, broken"),
]

DOCKERFILE = "lambda_src/Dockerfile"
MAIN = "lambda_src/rooms/main.py"
SHIP = "ship dev"


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeAccount]:
    """After the commands that `make cloud` prints."""
    with practice_account(tmp_path_factory.mktemp("cloud")) as account:
        source, *commands = re.findall(r"^  (\S.*)$", account.greeting, re.MULTILINE)
        assert source == "source .local/cloud/activate"
        assert len(commands) == 1
        account.passes(*commands)
        yield account


def test_three_commands_end_with_a_page_that_plays(
    account: PracticeAccount, browser: Browser
) -> None:
    with players(browser, account.output("hima-five-bomber-dev-web", "PageUrl")) as new_player:
        host, friend = new_player(), new_player()
        friend.join(host.create("ひま"), "さくら")
        for player in (host, friend):
            expect(player.seats.nth(1)).to_contain_text("さくら")


class Broken(NamedTuple):
    """What somebody changes, the command that has to fail then, and what it has to say."""

    change: Callable[[PracticeAccount], str | None]
    """It may return a base to build on."""
    command: str
    words: str


def lying_base(account: PracticeAccount) -> str:
    """A base whose configuration names this CPU, with programs for another one."""
    text = (account.checkout / DOCKERFILE).read_text(encoding="utf-8")
    # They would not run in the build.
    (account.checkout / DOCKERFILE).write_text(re.sub(r"(?ms)^RUN .*?[^\\]\n", "", text))
    return push_base(account.registry, machine=OTHER_MACHINE, config_architecture=HOST)


def stage_of_another_cpu(account: PracticeAccount) -> None:
    account.change_stage("dev", architecture={"amd64": "x86_64"}.get(OTHER, OTHER))


def misnamed_handler(account: PracticeAccount) -> None:
    account.replace(DOCKERFILE, '"rooms.main.handler"', '"rooms.main.lambda_handler"')


def missing_table(account: PracticeAccount) -> None:
    account.replace(MAIN, 'os.environ["ROOMS_TABLE"]', 'os.environ["ROOMS_TABLE"] + "-v2"')


@pytest.mark.parametrize(
    "broken",
    [
        Broken(stage_of_another_cpu, "build dev", rf"^error: the base \S+ is for {HOST}, and the"),
        Broken(lying_base, SHIP, r"stopped at check: [^✗]*✗ C2  Files of another CPU"),
        Broken(misnamed_handler, SHIP, r"stopped at check: [^✗]*✗ E3  The handler's function"),
        Broken(missing_table, SHIP, r"✗ create: [\s\S]*asked DynamoDB for a table that is not"),
    ],
    ids=lambda broken: broken.change.__name__,
)
def test_a_broken_image_ends_at_its_gate_with_its_words(
    account: PracticeAccount, broken: Broken
) -> None:
    live = account.live("dev")
    account.passes("git tag --force good")
    base = broken.change(account)
    other_base = [f'export BUILD_ARGS="BASE={base} ${{BUILD_ARGS#* }}"'] if base else []
    ran = account.run(
        'git commit --quiet --all --message "broken"',
        *other_base,
        f"python -m release {broken.command}",
    )
    account.passes("git reset --quiet --hard good")
    assert ran.failed == f"python -m release {broken.command}", ran.output
    assert re.search(broken.words, ran.output, re.MULTILINE), ran.output
    assert account.live("dev") == live
    account.passes("python -m release smoke dev")
