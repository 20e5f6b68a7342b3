"""Which gates an image has passed."""

import json
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from config.file_lock import locked
from imagecheck.errors import FailedError
from release.build.gates import Passed, note_gate, passed_gates, require_gates
from release.build.record import read_record, write_record
from release.errors import RefusedError
from tests.support.errors import shows
from tests.support.release.checkout import RECORD
from tests.support.waiting import waiting

DIGEST = RECORD.digest
PASSED = Passed(at="2026-01-01T00:01:00Z", architecture="arm64", function="f")
LATER = Passed(at="2026-01-01T00:02:00Z", architecture="arm64")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_record(tmp_path, RECORD)
    return tmp_path


def test_gates_are_noted_one_by_one(root: Path) -> None:
    assert passed_gates(root, DIGEST, "arm64") == {}
    assert note_gate(root, DIGEST, "arm64", "check", PASSED)
    assert passed_gates(root, DIGEST, "arm64") == {"check": PASSED}
    assert note_gate(root, DIGEST, "arm64", "boot", LATER)
    assert passed_gates(root, DIGEST, "arm64") == {"check": PASSED, "boot": LATER}


def test_gates_that_are_passed_at_once_are_both_noted(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as stack:
        stack.enter_context(locked(root / "build/gates.json.lock"))
        with waiting(monkeypatch, lambda: note_gate(root, DIGEST, "arm64", "boot", LATER)):
            noted = {DIGEST: {"check": PASSED}}
            (root / "build/gates.json").write_bytes(msgspec.json.encode(noted))
            stack.close()
    assert passed_gates(root, DIGEST, "arm64") == {"check": PASSED, "boot": LATER}


@pytest.mark.proof
@settings(deadline=None)
@given(st.binary())
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in ("gates", "record"):
            (root / "build").mkdir(exist_ok=True)
            (root / f"build/{name}.json").write_bytes(content)
        with suppress(FailedError):
            passed_gates(root, DIGEST, "arm64")
        with pytest.raises(FailedError):
            read_record(root, "dev")


def test_a_rebuild_with_the_same_digest_keeps_them(root: Path) -> None:
    note_gate(root, DIGEST, "arm64", "check", PASSED)
    other = "sha256:" + "9" * 64
    write_record(root, replace(RECORD, digest=other))
    assert passed_gates(root, other, "arm64") == {}
    note_gate(root, other, "arm64", "boot", LATER)

    write_record(root, replace(RECORD, built_at="2026-02-02T00:00:00Z", source_revision="4" * 40))

    assert passed_gates(root, DIGEST, "arm64") == {"check": PASSED}
    assert passed_gates(root, other, "arm64") == {"boot": LATER}


def test_the_last_result_counts(root: Path) -> None:
    note_gate(root, DIGEST, "arm64", "check", PASSED)
    note_gate(root, DIGEST, "arm64", "boot", PASSED)

    assert note_gate(root, DIGEST, "arm64", "check", None)

    assert passed_gates(root, DIGEST, "arm64") == {"boot": PASSED}


def test_what_was_passed_for_one_cpu_is_not_for_another(root: Path) -> None:
    note_gate(root, DIGEST, "arm64", "check", PASSED)
    assert passed_gates(root, DIGEST, "x86_64") == {}


@pytest.mark.parametrize(
    ("digest", "architecture"),
    [("sha256:" + "4" * 64, "arm64"), (None, "arm64"), (DIGEST, "x86_64")],
)
def test_what_another_image_or_cpu_passed_is_not_noted(
    root: Path, digest: str | None, architecture: str
) -> None:
    assert not note_gate(root, digest, architecture, "check", PASSED)
    assert passed_gates(root, DIGEST, "arm64") == {}


def test_without_a_build_nothing_is_noted(tmp_path: Path) -> None:
    assert not note_gate(tmp_path, DIGEST, "arm64", "check", PASSED)
    assert list(tmp_path.iterdir()) == []


def test_the_results_of_the_last_fifty_images_are_kept(root: Path) -> None:
    for number in range(60):
        digest = f"sha256:{number:064x}"
        write_record(root, replace(RECORD, digest=digest))
        note_gate(root, digest, "arm64", "check", PASSED)
    kept = json.loads((root / "build/gates.json").read_text())
    assert [*kept] == [f"sha256:{number:064x}" for number in range(10, 60)]


@pytest.mark.parametrize("content", ["[]", "nonsense", '{"sha256:1": {"smell": {}}}'])
def test_results_of_another_form_are_told(root: Path, content: str) -> None:
    (root / "build/gates.json").write_text(content)
    with pytest.raises(
        FailedError, check=shows("cannot be read: .*\nhint: delete it: rm build/gates.json")
    ):
        passed_gates(root, DIGEST, "arm64")


def test_a_gate_that_was_not_passed_refuses(root: Path) -> None:
    with pytest.raises(RefusedError, match="has not passed `check`") as error:
        require_gates(root, RECORD, "dev", skip_check=False, skip_boot=False)
    assert error.value.hint == (
        "python -m release check oci:build/image --stage dev (or, if you must, add --skip-check)"
    )
    note_gate(root, DIGEST, "arm64", "check", PASSED)
    with pytest.raises(RefusedError, match="has not passed `boot`") as error:
        require_gates(root, RECORD, "prd", skip_check=False, skip_boot=False)
    assert error.value.hint == ("python -m release boot prd (or, if you must, add --skip-boot)")


def test_skipping_one_gate_skips_no_other(root: Path) -> None:
    with pytest.raises(RefusedError, match="`boot`"):
        require_gates(root, RECORD, "dev", skip_check=True, skip_boot=False)
    with pytest.raises(RefusedError, match="`check`"):
        require_gates(root, RECORD, "dev", skip_check=False, skip_boot=True)
    assert require_gates(root, RECORD, "dev", skip_check=True, skip_boot=True) == ["check", "boot"]


def test_what_was_passed_is_not_skipped(root: Path) -> None:
    note_gate(root, DIGEST, "arm64", "check", PASSED)
    note_gate(root, DIGEST, "arm64", "boot", PASSED)
    assert require_gates(root, RECORD, "dev", skip_check=True, skip_boot=True) == []
