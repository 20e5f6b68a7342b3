"""The release parameter: its value, and that it is written last."""

import json
from typing import Any

import msgspec
import pytest

from config.image_lock import ImagePin, read_image_lock
from config.names import StageNames
from tests.support.cdk_context import PINNED, ROOT
from tests.support.templates import only, resources, rooms_template, waits_for

RELEASE = "ReleaseParameter2F09585D"
WAYS = [
    {"packaging": "image"},
    {"packaging": "zip"},
    {"packaging": "image", "emergency": "true"},
]


@pytest.fixture(params=WAYS)
def template(request: pytest.FixtureRequest) -> dict[str, Any]:
    return rooms_template(**request.param)


def test_an_image_is_written_down_as_it_stands_in_the_lock_file() -> None:
    says = json.loads(only(rooms_template(), "AWS::SSM::Parameter", named="Release")["Value"])
    assert says["packaging"] == "image"
    assert msgspec.convert(says["pin"], ImagePin) == read_image_lock(ROOT / PINNED)["dev"]


def test_a_zip_is_written_down_as_such() -> None:
    parameter = only(rooms_template(packaging="zip"), "AWS::SSM::Parameter", named="Release")
    assert json.loads(parameter["Value"]) == {"packaging": "zip"}


def test_a_release_that_fails_is_none_for_everything_else_comes_first(
    template: dict[str, Any],
) -> None:
    parameter = RELEASE
    others = {*template["Resources"]} - {parameter}
    assert waits_for(template, parameter) == others
    assert all(parameter not in waits_for(template, other) for other in others)


def test_its_name_and_id_stay_whatever_is_packaged_and_so_does_its_history(
    template: dict[str, Any],
) -> None:
    assert RELEASE in resources(template, "AWS::SSM::Parameter")
    parameter = only(template, "AWS::SSM::Parameter", named="Release")
    assert parameter["Name"] == StageNames("dev").release_parameter


def test_it_is_free_of_charge_and_small_enough_for_that(template: dict[str, Any]) -> None:
    """https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html"""
    parameter = only(template, "AWS::SSM::Parameter", named="Release")
    assert (parameter["Tier"], parameter["Type"]) == ("Standard", "String")
    assert len(parameter["Value"].encode()) < 1000


def test_the_same_release_is_the_same_text() -> None:
    """Else every deployment would be a release of its own in the history."""
    value = only(rooms_template(), "AWS::SSM::Parameter", named="Release")["Value"]
    assert value == json.dumps(json.loads(value), sort_keys=True)
