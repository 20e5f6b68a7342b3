"""Everybody who is measured really creates a room in the table."""

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from benchmarks.cold_start.catalogue import EARLY, FLOOR, OURS, PEERS, UNCOUNTED, YARDSTICK, Peer
from benchmarks.cold_start.events import events
from benchmarks.cold_start.installation import install
from benchmarks.cold_start.loaded import loaded
from benchmarks.cold_start.process import Place, environment, measure
from chaos.environment import TABLE
from imagecheck.errors import FailedError
from tests.support.cdk_context import ROOT

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PEER: Final = {peer.name: peer for peer in PEERS}
STARTED_HERE: Final = (YARDSTICK, EARLY, OURS, "own-signer")


def create(peer: Peer, place: Place) -> tuple[dict[str, Any], int]:
    """Return the answer to a create, and how many requests it took."""
    with environment(peer, place) as started:
        before = place.front.requests
        answer, took_ms = started.invoke(next(events(peer.event)))
        assert took_ms > 0
        assert started.init_ms > 0
    return json.loads(answer["body"]), place.front.requests - before


def host_name(table: "DynamoDBClient", answer: dict[str, Any]) -> str:
    """The name of the only player in the item of a room."""
    item = table.get_item(TableName=TABLE, Key={"roomId": {"S": answer["roomId"]}})["Item"]
    ((player_id, player),) = item["players"]["M"].items()
    assert player_id == answer["playerId"]
    name: str = player["M"]["name"]["S"]
    return name


@pytest.mark.parametrize("name", STARTED_HERE)
def test_a_function_creates_a_room(name: str, place: Place, table: "DynamoDBClient") -> None:
    answer, requests = create(PEER[name], place)

    assert host_name(table, answer) == "ひまわり"
    assert answer["room"]["players"][0]["name"] == "ひまわり"
    assert requests == (3 if name == OURS else 1)


@pytest.mark.proof
def test_all_of_them_do(place: Place, table: "DynamoDBClient") -> None:
    installed = place._replace(installed=install(ROOT / "build/bench/cold_start"))
    for peer in PEERS:
        if peer.name != FLOOR:
            answer, _ = create(peer, installed)
            assert host_name(table, answer) == "ひまわり", peer.name


def test_who_is_not_counted_asks_the_table_once(place: Place) -> None:
    sample = measure(PEER[UNCOUNTED], place, events=events(PEER[UNCOUNTED].event), warm_calls=3)

    assert (sample.first_requests, sample.warm_requests) == (1, 1)
    assert len(sample.warm_ms) == 3
    assert 0 < sample.first_cpu_ms < sample.init_cpu_ms
    assert sample.init_mib <= sample.first_mib <= sample.peak_mib
    assert sample.cold_ms == sample.init_ms + sample.first_ms


@pytest.mark.parametrize(("name", "requests"), [(YARDSTICK, 0), (EARLY, 1), (OURS, 1)])
def test_who_reads_an_item_while_it_starts(name: str, requests: int, place: Place) -> None:
    sample = measure(PEER[name], place, events=events(PEER[name].event), warm_calls=1)

    assert sample.init_requests == requests


def test_a_function_that_does_not_start_says_why(place: Place) -> None:
    broken = PEER[FLOOR]._replace(handler="peers.nobody.handler")

    with pytest.raises(FailedError, match=r"peers\.nobody"), environment(broken, place):
        pass


def test_an_answer_that_is_no_success_is_none(place: Place) -> None:
    peer = PEER[OURS]
    event = {**next(events(peer.event)), "body": "{}"}

    with environment(peer, place) as started, pytest.raises(FailedError, match="VALIDATION_ERROR"):
        started.invoke(event)


@pytest.mark.proof
def test_what_is_loaded_is_more_with_more_libraries(place: Place) -> None:
    nothing, boto3 = (
        loaded(PEER[name], place, next(events(PEER[name].event))) for name in (FLOOR, YARDSTICK)
    )

    assert nothing.modules + 100 < boto3.modules
    # The description of all endpoints alone is a megabyte.
    assert nothing.bytes + 1_000_000 < boto3.bytes
    assert nothing.files < boto3.files
