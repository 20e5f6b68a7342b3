"""Each event is a create from another player, in the form that the function reads."""

import itertools
import json

import pytest

from benchmarks.cold_start.catalogue import Event
from benchmarks.cold_start.events import events


@pytest.mark.parametrize("kind", Event)
def test_every_event_asks_for_a_room(kind: Event) -> None:
    event = next(events(kind))

    assert json.loads(event["body"]) == {"hostName": "ひまわり"}
    assert event["isBase64Encoded"] is False


def test_no_two_players_have_one_address() -> None:
    first = [
        event["requestContext"]["http"]["sourceIp"]
        for event in itertools.islice(events(Event.HTTP_API), 1000)
    ]

    assert len(set(first)) == len(first)


def test_only_api_gateway_names_an_api() -> None:
    assert next(events(Event.HTTP_API))["requestContext"]["apiId"]
    assert "apiId" not in next(events(Event.DIRECT))["requestContext"]


def test_format_1_names_the_path_as_a_resource() -> None:
    event = next(events(Event.REST_API))

    assert event["requestContext"]["resourcePath"] == event["resource"] == "/rooms"
    assert event["multiValueHeaders"]["content-type"] == ["application/json"]
