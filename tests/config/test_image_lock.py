import json
from pathlib import Path
from typing import Any

import pytest

from config.image_lock import ImagePin, read_image_lock, write_image_lock
from config.settings import ConfigurationError
from tests.support.cdk_context import ROOT

PIN = ImagePin(
    digest="sha256:" + "1" * 64,
    architecture="arm64",
    base_digest="sha256:" + "b" * 64,
    source_revision="0" * 40,
    pinned_at="2026-01-01T00:00:00Z",
)
ENTRY = {
    "digest": PIN.digest,
    "architecture": "arm64",
    "baseDigest": PIN.base_digest,
    "sourceRevision": PIN.source_revision,
    "pinnedAt": PIN.pinned_at,
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "image-lock.json"


def test_what_is_written_is_read_back(path: Path) -> None:
    write_image_lock(path, {"dev": PIN})
    assert read_image_lock(path) == {"dev": PIN}
    assert json.loads(path.read_text()) == {"dev": ENTRY}


def test_writing_leaves_nothing_but_the_file(path: Path) -> None:
    write_image_lock(path, {"dev": PIN})
    write_image_lock(path, {})
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert read_image_lock(path) == {}


def test_the_committed_lock_file_is_well_formed() -> None:
    read_image_lock(ROOT / "image-lock.json")


def test_a_missing_file_is_named_with_what_to_write(path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"image-lock.json is missing") as missing:
        read_image_lock(path)
    assert "echo '{}' >" in str(missing.value.hint)


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({**ENTRY, "baseDigest": "3.13-arm64"}, "matching regex .*baseDigest"),
        ({**ENTRY, "architecture": "amd64"}, "architecture"),
        ({**ENTRY, "tag": "v1"}, "unknown field `tag`"),
        ({"digest": PIN.digest}, "missing required field"),
        ("sha256:" + "1" * 64, "Expected `object`"),
    ],
)
def test_a_wrong_pin_is_named_with_its_place(path: Path, entry: Any, told: str) -> None:
    path.write_text(json.dumps({"dev": entry}))
    with pytest.raises(ConfigurationError, match=told) as refused:
        read_image_lock(path)
    assert str(path) in str(refused.value)


def test_a_file_that_is_not_json_is_named(path: Path) -> None:
    path.write_text("<<<<<<< HEAD")
    with pytest.raises(ConfigurationError, match=r"image-lock\.json: JSON is malformed"):
        read_image_lock(path)


def test_a_folder_is_no_lock_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Is a directory"):
        read_image_lock(tmp_path)
