"""The record of the last build."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from imagecheck.errors import FailedError
from release.build.record import BuildRecord, note_passed, read_record, require_gates, write_record
from release.errors import RefusedError
from tests.support.errors import shows

DIGEST = "sha256:" + "1" * 64
RECORD = BuildRecord(
    digest=DIGEST,
    architecture="arm64",
    base_digest="sha256:" + "2" * 64,
    source_revision="3" * 40,
    dirty=False,
    built_at="2026-01-01T00:00:00Z",
)
LATER = "2026-01-01T00:01:00Z"


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_record(tmp_path, RECORD)
    assert read_record(tmp_path, "dev") == RECORD


def test_nothing_was_built(tmp_path: Path) -> None:
    with pytest.raises(
        FailedError, check=shows("no image has been built here\nhint: python -m release build dev")
    ):
        read_record(tmp_path, "dev")


@pytest.mark.parametrize("content", ["{}", "nonsense", '{"digest": 1}'])
def test_a_record_of_another_form_is_told(tmp_path: Path, content: str) -> None:
    write_record(tmp_path, RECORD)
    (tmp_path / "build/record.json").write_text(content)
    with pytest.raises(
        FailedError, check=shows("cannot be read: .*\nhint: python -m release build dev")
    ):
        read_record(tmp_path, "dev")


def test_a_record_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "build").write_text("in the way")
    with pytest.raises(FailedError, match="cannot be written"):
        write_record(tmp_path, RECORD)


def test_gates_are_noted_one_by_one(tmp_path: Path) -> None:
    write_record(tmp_path, RECORD)
    assert note_passed(tmp_path, DIGEST, "arm64", "check", LATER)
    assert (read_record(tmp_path, "dev").checked_at, read_record(tmp_path, "dev").booted_at) == (
        LATER,
        None,
    )
    assert note_passed(tmp_path, DIGEST, "arm64", "boot", LATER)
    assert (read_record(tmp_path, "dev").checked_at, read_record(tmp_path, "dev").booted_at) == (
        LATER,
        LATER,
    )


@pytest.mark.parametrize(
    ("digest", "architecture"),
    [("sha256:" + "4" * 64, "arm64"), (None, "arm64"), (DIGEST, "x86_64")],
)
def test_what_another_image_or_cpu_passed_is_not_noted(
    tmp_path: Path, digest: str | None, architecture: str
) -> None:
    write_record(tmp_path, RECORD)
    assert not note_passed(tmp_path, digest, architecture, "check", LATER)
    assert read_record(tmp_path, "dev") == RECORD


def test_without_a_build_nothing_is_noted(tmp_path: Path) -> None:
    assert not note_passed(tmp_path, DIGEST, "arm64", "check", LATER)
    assert list(tmp_path.iterdir()) == []


def test_a_gate_that_was_not_passed_refuses() -> None:
    with pytest.raises(RefusedError, match="has not passed `check`") as error:
        require_gates(RECORD, "dev", skip_check=False, skip_boot=False)
    assert error.value.hint == (
        "python -m release check oci:build/image --stage dev (or, if you must, add --skip-check)"
    )
    checked = replace(RECORD, checked_at=LATER)
    with pytest.raises(RefusedError, match="has not passed `boot`") as error:
        require_gates(checked, "prd", skip_check=False, skip_boot=False, may_skip=False)
    assert error.value.hint == "python -m release boot prd"


def test_skipping_one_gate_skips_no_other() -> None:
    with pytest.raises(RefusedError, match="`boot`"):
        require_gates(RECORD, "dev", skip_check=True, skip_boot=False)
    with pytest.raises(RefusedError, match="`check`"):
        require_gates(RECORD, "dev", skip_check=False, skip_boot=True)
    assert require_gates(RECORD, "dev", skip_check=True, skip_boot=True) == ["check", "boot"]


def test_what_was_passed_is_not_skipped() -> None:
    passed = replace(RECORD, checked_at=LATER, booted_at=LATER)
    assert require_gates(passed, "dev", skip_check=True, skip_boot=True) == []
