"""The live version of a stage."""

import pytest

from imagecheck.errors import FailedError
from release.deploy.live import Live, read_live, read_stack, stack_outputs
from tests.support.release.deployed_stage import API_URL, DeployedStage


def live(dev: DeployedStage) -> Live | None:
    return read_live(dev.stage, stack_outputs(dev.stage))


def test_an_image(dev: DeployedStage) -> None:
    pin = dev.push()
    dev.release(pin)

    found = live(dev)

    assert found == Live(dev.stage.names.function, "1", "image", pin.digest, "Active")
    assert str(found) == f"version 1 ({pin.digest})"


def test_it_is_what_the_alias_points_to_and_not_the_newest_code(dev: DeployedStage) -> None:
    """The broken image is in $LATEST from the moment in which the function is changed."""
    good, bad = dev.push(), dev.push()
    dev.release(good)
    dev.publish(bad)

    found = live(dev)

    assert found
    assert (found.version, found.digest) == ("1", good.digest)


def test_a_zip(dev: DeployedStage) -> None:
    dev.release(dev.push())
    dev.release(None)

    found = live(dev)

    assert found == Live(dev.stage.names.zip_function, "1", "zip", None, "Active")
    assert str(found) == "version 1 (a zip)"


def test_a_stack_from_before_it_named_its_function(dev: DeployedStage) -> None:
    dev.release(dev.push())

    assert read_live(dev.stage, {"ApiUrl": API_URL}) == live(dev)


def test_nothing(dev: DeployedStage) -> None:
    assert (stack_outputs(dev.stage), live(dev)) == ({}, None)


def test_a_stack_whose_function_is_not_there(dev: DeployedStage) -> None:
    """As after a first creation that failed."""
    assert read_live(dev.stage, {"FunctionName": "gone"}) is None


def test_the_stack(dev: DeployedStage) -> None:
    name = dev.stage.names.rooms_stack
    assert read_stack(dev.stage, name) is None
    dev.release(dev.push())

    first = read_stack(dev.stage, name)
    dev.release(dev.push())
    second = read_stack(dev.stage, name)

    assert first
    assert second
    assert (first.status, second.status) == ("CREATE_COMPLETE", "UPDATE_COMPLETE")
    assert first.outputs["ApiUrl"] == API_URL


def test_without_credentials(dev: DeployedStage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    with pytest.raises(FailedError, match="no AWS credentials are found"):
        live(dev)
