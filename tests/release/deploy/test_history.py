"""The releases of a stage, and the one that a rollback goes back to."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.image_lock import ImagePin
from release.deploy.history import Release, pin_of, previous, read_history
from tests.support.release.deployed_stage import DeployedStage


def a_pin(number: int, second: int | None = None) -> ImagePin:
    return ImagePin(
        digest=f"sha256:{number:064x}",
        architecture="arm64",
        base_digest="sha256:" + "b" * 64,
        source_revision=f"{number:040x}",
        pinned_at=f"2026-11-25T00:00:{number if second is None else second:02}Z",
    )


def history_of(*pins: ImagePin | None) -> list[Release]:
    return [Release(n, "2026-11-25T00:00:00Z", pin) for n, pin in enumerate(pins, start=1)]


A, B, C = a_pin(1), a_pin(2), a_pin(3)


@pytest.mark.parametrize(
    ("history", "current", "expected"),
    [
        ([A, B], B, A),
        ([A, B, C], C, B),
        ([A], A, None),
        ([], A, None),
        # Going back again goes further back, and not to where it came from.
        ([A, B, C, B], B, A),
        ([A, B, C, B, A], A, None),
        # A new image after going back: what was bad before that stays left.
        ([A, B, A, C], C, A),
        # The same bytes pinned again are nothing to go back to.
        ([A, B, a_pin(2, 5)], a_pin(2, 5), A),
        # The way out, and back.
        ([A, B, None], None, B),
        ([A, B, A, None], None, A),
        ([A, None, B], B, A),
        ([None], None, None),
        ([None, A], A, None),
    ],
)
def test_previous(
    history: Sequence[ImagePin | None], current: ImagePin | None, expected: ImagePin | None
) -> None:
    assert previous(history_of(*history), current) == expected


PINS = st.lists(st.integers(1, 6).map(a_pin), min_size=1, max_size=12)


@given(PINS)
def test_going_back_again_and_again_visits_each_image_once_and_ends(pins: list[ImagePin]) -> None:
    """Whatever was deployed in whichever order: no image is met twice, and each is older."""
    history = history_of(*pins)
    current: ImagePin | None = pins[-1]
    older = {pin.digest for pin in pins if pin.pinned_at < pins[-1].pinned_at}
    met = []
    while current and (current := previous(history, current)):
        met.append(current)
        # What is deployed again is written into the history again, with the time that it had.
        history.append(Release(len(history) + 1, "", current))

    assert [pin.pinned_at for pin in met] == sorted({p.pinned_at for p in met}, reverse=True)
    assert {pin.digest for pin in met} <= older
    assert bool(met) == bool(older)


def test_the_newest_pin_of_an_image() -> None:
    history = history_of(A, B, a_pin(1, 9), None)

    assert pin_of(history, A.digest) == a_pin(1, 9)
    assert pin_of(history, C.digest) is None


def test_it_is_read_from_the_parameter(dev: DeployedStage) -> None:
    one, two = dev.push(), dev.push()
    for pin in (one, two, None, one):
        dev.release(pin)

    history = read_history(dev.stage)

    assert [(r.version, r.pin, r.packaging) for r in history] == [
        (1, one, "image"),
        (2, two, "image"),
        (3, None, "zip"),
        (4, one, "image"),
    ]
    assert all(r.written_at.endswith("Z") for r in history)


def test_it_has_more_than_one_page(dev: DeployedStage) -> None:
    ssm = dev.client("ssm")
    for _ in range(52):
        ssm.put_parameter(
            Name=dev.stage.names.release_parameter,
            Value='{"packaging": "zip"}',
            Type="String",
            Overwrite=True,
        )

    assert [release.version for release in read_history(dev.stage)] == list(range(1, 53))


def test_a_stage_that_was_never_deployed_has_none(dev: DeployedStage) -> None:
    assert read_history(dev.stage) == []


@pytest.mark.proof
@pytest.mark.parametrize(
    "value",
    [
        "x",
        "[]",
        '{"packaging": "image"}',
        '{"packaging": "tar"}',
        '{"packaging": "zip", "pin": {}}',
    ],
)
def test_what_is_no_release_is_said_and_left_out(
    dev: DeployedStage, capsys: pytest.CaptureFixture[str], value: str
) -> None:
    """Somebody wrote it by hand; the way back is still open."""
    one = dev.push()
    dev.release(one)
    name = dev.stage.names.release_parameter
    dev.client("ssm").put_parameter(Name=name, Value=value, Type="String", Overwrite=True)

    assert [release.pin for release in read_history(dev.stage)] == [one]
    assert f"version 2 of {name} is no release, and left out" in capsys.readouterr().err


def test_what_a_later_program_adds_beside_the_pin_is_no_reason_to_leave_it_out(
    dev: DeployedStage,
) -> None:
    value = json.dumps({"packaging": "zip", "by": "somebody"})
    name = dev.stage.names.release_parameter
    dev.client("ssm").put_parameter(Name=name, Value=value, Type="String")

    assert len(read_history(dev.stage)) == 1
