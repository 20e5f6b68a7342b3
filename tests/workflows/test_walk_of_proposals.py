"""The workflows that speak to people at GitHub: of a pull request, and of a newer base image."""

import json
from collections.abc import Iterator

import pytest

from tests.support.workflows.commands import commands
from tests.support.workflows.world import DOCKERFILE, STAGES, World, world

SNAPSHOT = "tests/stacks/__snapshots__/test_snapshots/test_template[rooms-prd].json"

pytestmark = [pytest.mark.proof, pytest.mark.xdist_group("proposals"), pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("walk")) as place:
        yield place


def changed(place: World) -> tuple[str, str]:
    """Return the commit that main is, and one on a branch that loses the table of prd."""
    base = place.main.head()
    template = json.loads(place.main.read(SNAPSHOT))
    table = next(n for n, r in template["Resources"].items() if r["Type"] == "AWS::DynamoDB::Table")
    del template["Resources"][table]
    place.main.write(SNAPSHOT, json.dumps(template, indent=2))
    head = place.main.commit("No table")
    place.main.reset_to(base)
    return base, head


def comments(place: World) -> list[str]:
    """Return the comments on the newest pull request."""
    return [comment.body for comment in place.server.comments[max(place.server.comments)]]


@pytest.mark.parametrize("fork", [False, True])
def test_every_pull_request_gets_a_comment_that_shows_in_red_what_is_lost(
    place: World, fork: bool
) -> None:
    base, head = changed(place)

    run = place.pull_request(
        "pull-request-comment", "pull_request_target", base=base, head=head, fork=fork
    )

    assert run.succeeded, run.failed()
    assert commands(run, "comment") == ["changes", "comment"]
    (comment,) = comments(place)
    assert "> [!CAUTION]" in comment
    assert "AWS::DynamoDB::Table" in comment


def test_where_credentials_exist_it_is_compared_with_what_is_deployed(place: World) -> None:
    base, head = changed(place)

    run = place.pull_request("pull-request", "pull_request", base=base, head=head, fork=False)

    assert run.succeeded, run.failed()
    assert place.github.refused == []
    assert len(comments(place)) == len(STAGES)
    for stage in STAGES:
        assert any(f"**Deploying this to `{stage}` now:" in one for one in comments(place))


def test_a_fork_gets_no_credentials(place: World) -> None:
    base, head = changed(place)

    run = place.pull_request("pull-request", "pull_request", base=base, head=head, fork=True)

    assert run.succeeded, run.failed()
    assert run.results["diff"] == "skipped"
    assert comments(place) == []


def test_a_newer_base_is_built_booted_and_proposed(place: World) -> None:
    digest = place.move_base()

    run = place.dispatch("base-image")

    assert run.succeeded, run.failed()
    assert commands(run, "build") == ["base", "ship"]
    assert digest in place.server.files("base-image")[DOCKERFILE].decode()
    (pull,) = (pull for pull in place.server.pulls.values() if pull.head == "base-image")
    assert pull.body
    assert digest in pull.body
