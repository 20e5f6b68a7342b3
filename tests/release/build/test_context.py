"""The build context does not depend on the checkout."""

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from config.function_libraries import DependenciesError
from imagecheck.errors import FailedError
from release.build.context import write_context
from tests.support.release.building import HOST_CPU, clone, commit, project_in, write_project

SOURCE = {
    "Dockerfile": "FROM x\n",
    "requirements.txt": "",
    "rooms/main.py": "first\n",
    "rooms/other.py": "other\n",
}


def context_of(folder: Path, target: Path) -> Path:
    project, _ = project_in(folder)
    architecture: Any = HOST_CPU
    write_context(project, target, architecture=architecture, python_version="3.11")
    return target


def seen_in(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Name, mode, time and content of all that is there."""
    return {
        str(path.relative_to(folder)): (
            stat.S_IMODE(path.lstat().st_mode),
            path.lstat().st_mtime_ns,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in [folder, *folder.rglob("*")]
    }


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_project(tmp_path_factory.mktemp("context") / "origin", SOURCE)
    (folder / "lambda_src" / "run").write_text("#!/bin/sh\n")
    (folder / "lambda_src" / "run").chmod(0o755)
    (folder / "lambda_src" / "link").symlink_to("run")
    commit(folder)
    return folder


@pytest.mark.proof
def test_files_can_be_read_and_folders_entered_whatever_the_umask(
    tmp_path: Path, origin: Path
) -> None:
    checkout = clone(origin, tmp_path / "checkout", umask=0o077)
    before = os.umask(0o077)
    try:
        seen = seen_in(context_of(checkout, tmp_path / "context"))
    finally:
        os.umask(before)

    modes = {name: mode for name, (mode, _, _) in seen.items()}
    assert modes == {
        **dict.fromkeys((".", "dependencies", "rooms", "run"), 0o755),
        **dict.fromkeys(SOURCE, 0o644),
        "link": 0o777,
    }


@pytest.mark.proof
def test_the_same_from_every_checkout(tmp_path: Path, origin: Path) -> None:
    one = context_of(clone(origin, tmp_path / "one"), tmp_path / "context-1")
    other = clone(origin, tmp_path / "a much longer path" / "other", umask=0o027)
    for path in other.rglob("*.py"):
        os.utime(path, (1_000_000_000, 1_000_000_000))

    assert seen_in(one) == seen_in(context_of(other, tmp_path / "context-2"))


@pytest.mark.proof
def test_other_content_of_the_same_size_has_another_time(tmp_path: Path) -> None:
    """BuildKit looks at nothing else when it takes over a context that it has seen before."""
    checkout = write_project(tmp_path / "origin", SOURCE)
    before = seen_in(context_of(checkout, tmp_path / "before"))
    (checkout / "lambda_src/rooms/main.py").write_text("other\n")
    after = seen_in(context_of(checkout, tmp_path / "after"))

    assert before["rooms/main.py"][1] != after["rooms/main.py"][1]
    assert before["rooms/other.py"] == after["rooms/other.py"] == after["rooms/main.py"]


def test_what_git_knows_or_would_add_and_nothing_else(tmp_path: Path) -> None:
    checkout = write_project(tmp_path / "origin", SOURCE)
    source = checkout / "lambda_src"
    (checkout / "elsewhere").write_text("not of the source")
    (source / "new.py").write_text("not added yet")
    (source / "rooms/__pycache__").mkdir()
    (source / "rooms/__pycache__/main.pyc").write_text("ignored")
    (source / "rooms/other.py").unlink()
    (source / "räume.py").write_text("a name that git would quote")

    seen = seen_in(context_of(checkout, tmp_path / "context"))

    assert sorted(seen) == [
        ".",
        "Dockerfile",
        "dependencies",
        "new.py",
        "requirements.txt",
        "rooms",
        "rooms/main.py",
        "räume.py",
    ]


def test_programs_stay_programs_and_links_stay_links(tmp_path: Path, origin: Path) -> None:
    context = context_of(origin, tmp_path / "context")

    assert stat.S_IMODE((context / "run").stat().st_mode) == 0o755
    assert (context / "link").readlink() == Path("run")


@pytest.mark.proof
def test_libraries_that_cannot_be_installed(tmp_path: Path) -> None:
    wrong = {**SOURCE, "requirements.txt": "msgspec==0.22.0\n"}
    checkout = write_project(tmp_path / "origin", wrong)

    with pytest.raises(FailedError, match=r"libraries cannot be installed: ERROR: .*hashes"):
        context_of(checkout, tmp_path / "context")


def test_the_libraries_are_installed_once_for_the_same_lock_file_and_cpu(
    tmp_path: Path, origin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = []

    def install(folder: Path, *, architecture: str, **_: object) -> None:
        installed.append(architecture)
        folder.mkdir()
        (folder / "library").write_text(architecture)

    monkeypatch.setattr("release.build.context.install_dependencies", install)
    project, _ = project_in(clone(origin, tmp_path / "checkout"))

    def library(name: str, architecture: Any) -> str:
        folder = tmp_path / name
        write_context(project, folder, architecture=architecture, python_version="3.11")
        return (folder / "dependencies/library").read_text()

    assert [library("1", "arm64"), library("2", "arm64")] == ["arm64", "arm64"]
    assert library("3", "x86_64") == "x86_64"
    (project.root / "lambda_src/requirements.txt").write_text("another\n")
    assert library("4", "x86_64") == "x86_64"
    assert installed == ["arm64", "x86_64", "x86_64"]


def test_an_installation_that_fails_leaves_nothing_that_is_taken_later(
    tmp_path: Path, origin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(folder: Path, **_: object) -> None:
        folder.mkdir()
        raise DependenciesError("no network")

    project, _ = project_in(clone(origin, tmp_path / "checkout"))
    monkeypatch.setattr("release.build.context.install_dependencies", fail)
    with pytest.raises(FailedError, match="cannot be installed: no network"):
        write_context(project, tmp_path / "1", architecture="arm64", python_version="3.11")

    assert list((project.root / "build/libraries").iterdir()) == []
