"""The record of the last build."""

from pathlib import Path

import pytest

from imagecheck.errors import FailedError
from release.build.record import read_record, write_record
from tests.support.errors import shows
from tests.support.release.checkout import RECORD


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_record(tmp_path, RECORD)
    assert read_record(tmp_path, "dev") == RECORD


def test_nothing_was_built(tmp_path: Path) -> None:
    with pytest.raises(
        FailedError, check=shows("no image has been built here\nhint: python -m release build dev")
    ):
        read_record(tmp_path, "dev")


@pytest.mark.parametrize(
    "content",
    [b"{}", b"nonsense", b'{"digest": 1}', b'{"digest": "\xff"}', b"", b'{"a":' * 100_000],
)
def test_a_record_of_another_form_is_told(tmp_path: Path, content: bytes) -> None:
    write_record(tmp_path, RECORD)
    (tmp_path / "build/record.json").write_bytes(content)
    with pytest.raises(
        FailedError, check=shows("cannot be read: .*\nhint: python -m release build dev")
    ):
        read_record(tmp_path, "dev")


def test_a_record_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "build").write_text("in the way")
    with pytest.raises(FailedError, match="cannot be written"):
        write_record(tmp_path, RECORD)
