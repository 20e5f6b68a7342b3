"""The command line of a release; what `check` says of images is in tests/imagecheck/test_cli.py."""

import json
import re
from pathlib import Path

import pytest

import release.commands.check
from imagecheck import __version__
from imagecheck.errors import FailedError
from imagecheck.image.errors import ImageReadError
from release.build.gates import passed_gates
from release.build.record import BuildRecord, write_record
from release.cli import COMMANDS, GROUPS, load_command
from release.errors import RefusedError
from tests.support.imagecheck.cases import FOREIGN, HOST_CPU, PROGRAM, scratch
from tests.support.imagecheck.cases import run as program
from tests.support.imagecheck.images import Image
from tests.support.imagecheck.programs import HOST
from tests.support.release.commanding import Run, runner


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
    assert ("check" in passed_gates(tmp_path, image.digest, HOST_CPU)) is is_good


def test_what_is_ignored_does_not_stop_a_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    image = scratch(program(FOREIGN))(tmp_path / "image")
    monkeypatch.chdir(recorded(tmp_path, image))

    status, out, _ = run("check", image.reference, "--architecture", HOST, "--ignore", "C2=why not")

    assert (status, "C2 (why not)" in out) == (0, True)
    assert "check" in passed_gates(tmp_path, image.digest, HOST_CPU)


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
        (["nonsense"], "python -m release --help"),
        (["depoly", "dev"], "did you mean 'deploy'?"),
        (["deploy", "div"], "did you mean 'dev'? stages: local, dev, prd"),
        (["deploy", "dev", "--jsn"], "did you mean --json?"),
        (["check"], "python -m release check --help"),
        (["check", "oci:x", "--nonsense"], "python -m release check --help"),
    ],
)
def test_a_wrong_argument_is_an_error_with_a_hint(
    run: Run, arguments: list[str], advice: str
) -> None:
    status, out, told = run(*arguments)

    assert (status, out) == (2, "")
    assert told.startswith("error: ")
    assert told.endswith(f"\nhint: {advice}\n")


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (RefusedError("not now"), 1, "error: not now\n"),
        (RefusedError("no", hint="one\ntwo"), 1, "error: no\nhint: one\nhint: two\n"),
        (FailedError("no git"), 2, "error: no git\n"),
        (ImageReadError("no file"), 2, "error: no file\n"),
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


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let `check` end with an error, which has a cause."""

    def ends(*_: object) -> None:
        raise error from KeyError("the cause")

    monkeypatch.setattr(release.commands.check, "run_check", ends)


CHECK = ("check", "oci:x", "--architecture", HOST_CPU)


def test_an_error_in_json_has_the_form_of_every_command(
    monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    failing(monkeypatch, RefusedError("no", hint="do this", details={"gate": "check"}))

    status, out, told = run(*CHECK, "--json")

    assert (status, told) == (1, "error: no\nhint: do this\n")
    assert json.loads(out) == {
        "version": 1,
        "command": "check",
        "ok": False,
        "error": {
            "code": "REFUSED",
            "message": "no",
            "hint": "do this",
            "details": {"gate": "check"},
        },
    }


def test_debug_prints_the_traceback_with_its_causes(
    monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    failing(monkeypatch, FailedError("no git"))

    _, _, plain = run(*CHECK)
    _, _, told = run(*CHECK, "--debug")

    assert plain == "error: no git\n"
    assert "KeyError: 'the cause'" in told
    assert "direct cause of the following exception" in told
    assert told.endswith("error: no git\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_debug_and_json(command: str) -> None:
    names = {name for parameter in load_command(command).params for name in parameter.opts}
    assert {"--debug", "--json"} <= names


def test_a_bug_names_our_own_line_and_a_file_with_the_traceback(
    monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    def ends(*_: object) -> None:
        json.loads("TOKEN=hunter2")

    monkeypatch.setattr(release.commands.check, "run_check", ends)

    status, out, told = run(*CHECK, "--json")

    first, second = told.splitlines()
    assert status == 2
    # Not json/decoder.py, where it was raised.
    assert re.fullmatch(
        r"error: internal error: JSONDecodeError in release/commands/check\.py:\d+", first
    )
    file = Path(json.loads(out)["error"]["details"]["traceback"])
    assert second.startswith(f"hint: the traceback is in {file}; please report it: https://")
    assert "hunter2" not in told + out
    assert "in raw_decode" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    file.unlink()


def test_version(run: Run) -> None:
    assert run("--version") == (0, f"python -m release {__version__}\n", "")


def test_commands_are_grouped_in_help(run: Run) -> None:
    _, out, _ = run("--help")
    assert [out.index(f" {title} ") for title in GROUPS] == sorted(
        out.index(f" {title} ") for title in GROUPS
    )
