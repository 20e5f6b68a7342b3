"""The committed state of the project."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from imagecheck.errors import FailedError
from release.pipeline.changes.committed import (
    SNAPSHOTS,
    Committed,
    StackId,
    UnreadableFile,
    read_committed,
)
from release.pipeline.changes.sources import open_source
from tests.support.cdk_context import ROOT
from tests.support.release.states import PIN, snapshot, state

ROOMS = StackId("rooms", "dev")


def read(folder: Path) -> Committed:
    return read_committed(open_source(str(folder), folder), "HEAD", "image-lock.json")


@pytest.fixture
def real(tmp_path: Path) -> Path:
    return state(tmp_path, lock={"dev": PIN, "local": PIN})


def test_every_stack_that_is_deployed_is_read(real: Path) -> None:
    found = read(real)
    stacks = [path.name.split("[")[1][:-6] for path in (real / SNAPSHOTS).glob("test_template*")]
    assert {f"{one.stack}-{one.stage}" for one in found.templates} == {
        name for name in stacks if not name.endswith("-local")
    }
    rooms = found.templates[ROOMS]
    assert rooms == json.loads((ROOT / snapshot(Path(), "rooms-dev")).read_text())
    assert found.odd_names == 0


def test_pins_are_read_but_that_of_the_stage_which_is_never_deployed(real: Path) -> None:
    assert read(real).pins == {"dev": PIN}


def test_a_stage_may_have_hyphens(real: Path) -> None:
    snapshot(real, "rooms-dev").rename(snapshot(real, "rooms-dev-two"))
    assert StackId("rooms", "dev-two") in read(real).templates


@pytest.mark.parametrize(
    "name", ["rooms", "Rooms-dev", "rooms-<b>", "rooms-dev\n", "-dev", "rooms-dev].json"]
)
def test_a_name_that_says_no_stack_is_counted(real: Path, name: str) -> None:
    snapshot(real, "rooms-dev").rename(snapshot(real, name))
    found = read(real)
    assert found.odd_names == 1
    assert ROOMS not in found.templates


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ([], "not a JSON object"),
        ({}, "no resources"),
        ({"Resources": []}, "no resources"),
        ({"Resources": {"A": "secret"}}, "without a type"),
        ({"Resources": {"A": {}}}, "without a type"),
        ({"Resources": {"A": {"Type": ["secret"]}}}, "without a type"),
        ({"Resources": {"A": {"Type": "T", "Properties": "secret"}}}, "properties"),
        ({"Resources": {"secret::": {"Type": "T"}}}, "letters and digits"),
        ({"Resources": {"Secret\n": {"Type": "T"}}}, "letters and digits"),
        ({"Resources": {f"A{n}": {"Type": "T"} for n in range(501)}}, "more than 500"),
        ({"Resources": {}, "Transform": "secret"}, "transform"),
        ({"Resources": {"A": {"Type": "T", "Fn::Transform": {}}}}, "transform"),
    ],
)
def test_a_template_that_is_none_is_told_and_the_rest_is_read(
    real: Path, template: Any, why: str
) -> None:
    snapshot(real, "rooms-dev").write_text(json.dumps(template))
    found = read(real)
    rooms = found.templates.pop(ROOMS)  # type: ignore[attr-defined]
    assert isinstance(rooms, UnreadableFile)
    assert why in rooms.why
    assert "secret" not in rooms.why.lower()
    assert not any(isinstance(one, UnreadableFile) for one in found.templates.values())


def test_a_link_is_no_template(real: Path) -> None:
    snapshot(real, "rooms-dev").unlink()
    snapshot(real, "rooms-dev").symlink_to(snapshot(real, "rooms-prd"))
    assert isinstance(read(real).templates[ROOMS], UnreadableFile)


@pytest.mark.parametrize(
    ("lock", "why"),
    [
        (b"secret", "not valid JSON"),
        (b'{"dev": {"digest": "secret"}}', "form"),
        (msgspec.json.encode({"dev": {**msgspec.to_builtins(PIN), "more": 1}}), "form"),
    ],
)
def test_a_lock_file_that_is_none_is_told(real: Path, lock: bytes, why: str) -> None:
    (real / "image-lock.json").write_bytes(lock)
    pins = read(real).pins
    assert isinstance(pins, UnreadableFile)
    assert why in pins.why
    assert "secret" not in pins.why


def test_a_lock_file_that_is_missing_is_told(real: Path) -> None:
    (real / "image-lock.json").unlink()
    assert read(real).pins == UnreadableFile("it is missing")


def test_a_folder_without_snapshots_is_no_checkout(tmp_path: Path) -> None:
    with pytest.raises(FailedError, match="'HEAD' has no template snapshots"):
        read(tmp_path)


def test_nobody_has_so_many_stacks(real: Path) -> None:
    for number in range(60):
        snapshot(real, f"rooms-dev{number}").write_text("{}")
    with pytest.raises(FailedError, match="more than 60"):
        read(real)
