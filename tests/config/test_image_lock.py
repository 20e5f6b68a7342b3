import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


def test_a_damaged_one_is_named_with_what_to_do(path: Path) -> None:
    path.write_bytes(b'{"dev": "\xff"}')
    with pytest.raises(ConfigurationError, match=r"lock\.json: it is not text in UTF-8") as told:
        read_image_lock(path)
    assert told.value.hint == "as the last commit has it: git checkout HEAD -- image-lock.json"


def test_both_sides_of_a_merge_are_to_be_kept(path: Path) -> None:
    """Taking the last commit's, as for other damage, would lose the pin of one side."""
    path.write_text("{\n<<<<<<< HEAD\n=======\n>>>>>>> other\n}\n")
    with pytest.raises(ConfigurationError, match="merge conflict begins in line 2") as told:
        read_image_lock(path)
    assert "keep one entry for each stage" in str(told.value.hint)


VALID = json.dumps({"dev": ENTRY, "prd": ENTRY}).encode()


@settings(deadline=None)
@given(st.integers(0, len(VALID)), st.integers(0, 4), st.binary(max_size=4))
def test_any_damage_is_an_error_of_the_file(at: int, length: int, instead: bytes) -> None:
    """Bytes that are changed, lost or added anywhere in a good file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "image-lock.json")
        path.write_bytes(VALID[:at] + instead + VALID[at + length :])
        try:
            pins = read_image_lock(path)
        except ConfigurationError as error:
            assert error.message.startswith(f"{path}: ")
        else:
            assert all(isinstance(pin, ImagePin) for pin in pins.values())


def test_a_folder_is_no_lock_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Is a directory"):
        read_image_lock(tmp_path)
