"""An operation in an environment of the real function, and what its log may not have."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from chaos.faults import FAULTS, NO_FAULT
from chaos.model import Kind
from chaos.trial import make_table
from chaos.world import Request, StoppedError, World

pytestmark = pytest.mark.proof

BY_NAME = {fault.name: fault for fault in FAULTS}


@pytest.fixture
def world(dynamodb_endpoint: str, tmp_path: Path) -> Iterator[World]:
    make_table(dynamodb_endpoint)
    url = urlsplit(dynamodb_endpoint)
    assert url.hostname is not None
    assert url.port is not None
    with World(
        table=(url.hostname, url.port), folder=tmp_path / "world", earlier=1, current=1
    ) as world:
        yield world


@pytest.fixture
def token() -> str:
    return f"chaos-{uuid.uuid4()}"


def create(token: str | None) -> Request:
    return Request(story=1, kind=Kind.CREATE, name="ひま", token=token, room="")


def test_both_versions_answer_and_no_log_has_a_token_or_a_name(world: World, token: str) -> None:
    replies = [world.ask(create(token), fault=NO_FAULT, hits=None, seed=1) for _ in range(2)]
    operations = [reply.operation for reply in replies]

    # It was made by one of them, and is found by the other.
    assert [one.is_earlier for one in operations] == [True, False]
    assert {one.room for one in operations} == {operations[0].room}
    assert all(one.seats == ("ひま",) and one.problem == "" for one in operations)
    assert world.log_lines > 0
    assert world.leaks == []


def test_what_the_table_did_is_known_although_the_process_was_killed(
    world: World, token: str
) -> None:
    reply = world.ask(create(token), fault=BY_NAME["killed-after"], hits=None, seed=1)
    reply.injection.wait_until_quiet()

    assert (reply.operation.status, reply.operation.problem) == (0, "")
    assert [effect.changed for effect in reply.injection.effects] == [True]


@pytest.mark.parametrize("name", ["ひま", "\\u3072\\u307e"])
def test_a_name_in_the_log_is_found(world: World, name: str) -> None:
    world._read_log(f'{{"message": "{name} joins"}}')

    assert len(world.leaks) == 1


def test_a_token_in_the_log_is_found_whoever_made_it(world: World) -> None:
    reply = world.ask(create(token=None), fault=NO_FAULT, hits=None, seed=1)
    assert reply.token is not None
    world._read_log(f"request {uuid.uuid4()} of {reply.token}")

    assert world.leaks == [reply.token[:8]]


def test_who_has_stopped_asks_nothing(world: World, token: str) -> None:
    world.stopped.set()

    with pytest.raises(StoppedError):
        world.ask(create(token), fault=NO_FAULT, hits=None, seed=1)
