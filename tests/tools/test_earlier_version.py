"""The archive of the earlier version: what is in it, and that it runs."""

import subprocess
import sys
from pathlib import Path

import pytest

from chaos import earlier_version
from tools.earlier_version import write


def git(*arguments: str, folder: Path) -> str:
    identity = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.com")
    command = ["git", *identity, *arguments]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    rooms = folder / "lambda_src/rooms"
    rooms.mkdir(parents=True)
    git("init", "--quiet", folder=folder)
    (rooms / "__init__.py").write_text('"""部屋."""\n', encoding="utf-8")
    (rooms / "main.py").write_text("from . import first\n")
    (rooms / "first.py").write_text("print('the earlier one')\n")
    (rooms.parent / "Dockerfile").write_text("FROM scratch\n")
    git("add", ".", folder=folder)
    git("commit", "--quiet", "--message", "first", folder=folder)
    (rooms / "first.py").write_text("print('the one of now')\n")
    git("commit", "--quiet", "--all", "--message", "second", folder=folder)
    return folder


def test_it_runs_the_code_of_the_revision(repository: Path, tmp_path: Path) -> None:
    path = tmp_path / "earlier.zip"
    write("HEAD~1", path, repository=repository)

    ran = subprocess.run(
        [sys.executable, "-c", "import rooms.main"],
        env={"PYTHONPATH": str(path)},
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )

    assert ran.stdout == "the earlier one\n"
    assert earlier_version.revision(path) == git("rev-parse", "HEAD~1", folder=repository)


def test_the_same_revision_gives_the_same_bytes(repository: Path, tmp_path: Path) -> None:
    write("HEAD~1", tmp_path / "one.zip", repository=repository)
    write("HEAD~1", tmp_path / "two.zip", repository=repository)

    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_a_revision_that_is_not_there_is_named(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="Needed a single revision"):
        write("v9", tmp_path / "earlier.zip", repository=repository)


def test_the_committed_one_has_the_routes(tmp_path: Path) -> None:
    program = "from rooms.routes import ROUTES; print(*(route.key for route in ROUTES), sep='\\n')"
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(earlier_version.PATH)},
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )

    assert "POST /rooms/{roomId}/join" in ran.stdout
    assert len(earlier_version.revision()) == 40
