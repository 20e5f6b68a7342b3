"""The command line of a release; what `check` says of images is in tests/imagecheck/test_cli.py."""

from pathlib import Path

import pytest

import release.commands.check
from imagecheck.image.errors import CannotLookError
from release.cli import COMMANDS
from release.errors import CannotDoError, RefusedError
from release.record import BuildRecord, read_record, write_record
from tests.imagecheck.cases import FOREIGN, HOST_CPU, PROGRAM, scratch
from tests.imagecheck.cases import run as program
from tests.imagecheck.images import Image
from tests.imagecheck.programs import HOST
from tests.release.commanding import Run, runner


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")
    return runner(monkeypatch, capsys)


def recorded(folder: Path, image: Image) -> Path:
    """A folder whose last build is the image."""
    record = BuildRecord(
        digest=image.digest,
        architecture=HOST_CPU,
        base_digest=image.digest,
        source_revision="0" * 40,
        dirty=False,
        built_at="2026-01-01T00:00:00Z",
    )
    write_record(folder, record)
    return folder


@pytest.mark.parametrize("is_good", [True, False])
def test_only_an_image_that_passes_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run, is_good: bool
) -> None:
    image = scratch(program(PROGRAM if is_good else FOREIGN))(tmp_path / "image")
    monkeypatch.chdir(recorded(tmp_path, image))

    status, out, _ = run("check", image.reference, "--architecture", HOST)

    assert (status, "✗ C2" in out) == ((0, False) if is_good else (1, True))
    assert (read_record(tmp_path).checked_at is not None) is is_good


def test_what_is_ignored_does_not_stop_a_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    image = scratch(program(FOREIGN))(tmp_path / "image")
    monkeypatch.chdir(recorded(tmp_path, image))

    status, out, _ = run("check", image.reference, "--architecture", HOST, "--ignore", "C2=why not")

    assert (status, "C2 (why not)" in out) == (0, True)
    assert read_record(tmp_path).checked_at is not None


def test_a_stage_says_all_and_nothing_else_may(run: Run) -> None:
    status, _, told = run("check", "oci:image", "--stage", "dev", "--architecture", HOST_CPU)

    assert (status, "--stage says all of" in told) == (2, True)


def test_a_gate_wants_to_know_the_function(run: Run) -> None:
    status, _, told = run("check", "oci:image")

    assert (status, "--template FILE or --architecture arm64" in told) == (2, True)


def test_help(run: Run) -> None:
    for arguments in ([], ["--help"]):
        status, out, _ = run(*arguments)
        assert status == 0
        assert "Usage: python -m release" in out
        assert all(command in out for command in COMMANDS)
    _, out, _ = run("check", "-h")
    assert all(name in out for name in ("--stage", "--template", "--against", "--ignore"))


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["nonsense"], "Try: python -m release --help"),
        (["check"], "Try: python -m release check --help"),
        (["check", "oci:x", "--nonsense"], "Try: python -m release check --help"),
    ],
)
def test_what_is_asked_wrongly_is_said_with_where_to_look(
    run: Run, arguments: list[str], advice: str
) -> None:
    status, out, told = run(*arguments)

    assert (status, out) == (2, "")
    assert told.startswith("error: ")
    assert told.endswith(f"{advice}\n")


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (RefusedError("not now"), 1, "error: not now\n"),
        (CannotDoError("no git"), 2, "error: no git\n"),
        (CannotLookError("no file"), 2, "error: no file\n"),
        (KeyboardInterrupt(), 2, "error: interrupted; nothing was changed\n"),
        (KeyboardInterrupt("half done"), 2, "error: interrupted; half done\n"),
    ],
)
def test_however_it_ends_there_is_one_message(
    monkeypatch: pytest.MonkeyPatch, run: Run, error: BaseException, status: int, told: str
) -> None:
    def ends(*_: object) -> None:
        raise error

    monkeypatch.setattr(release.commands.check, "run_check", ends)

    assert run("check", "oci:x", "--architecture", HOST_CPU) == (status, "", told)
