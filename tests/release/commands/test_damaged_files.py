"""A checkout as editors, merges, disks and other commands leave it, or that is gone."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config.file_lock import locked
from config.image_lock import read_image_lock
from tests.support.cdk_context import ROOT
from tests.support.release.checkout import RECORD, Checkout, checkout
from tests.support.release.commanding import Run

DAMAGE = {
    "empty": b"",
    "not-utf-8": b'{"dev": "\xff"}',
    "bom": b"\xef\xbb\xbf{}",
    "nul": b"{}\0\0\0\0",
    "utf-16": "{}".encode("utf-16"),
    "surrogate": rb'{"dev": "\ud800"}',
    "deep": b'{"a":' * 100_000,
    "conflict": b"<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> theirs\n",
    "twice": b'{"dev": {}, "dev": {}}',
    "folder": None,
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    """A checkout with an image that has passed its gates, as the current folder."""
    made = checkout(tmp_path / "project")
    made.record(RECORD.digest)
    monkeypatch.chdir(made.root)
    return made


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize(
    "name", ["image-lock.json", "build/record.json", "build/gates.json", "cdk.json"]
)
def test_a_damaged_file_is_named_with_what_to_do(
    project: Checkout, run: Run, name: str, damage: str
) -> None:
    path, content = project.root / name, DAMAGE[damage]
    path.unlink()
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)

    status, out, err = run("pin", "dev", "--push-later")

    assert (status, out) == (2, "")
    assert f"error: {path}" in err
    assert "\nhint: " in err
    assert "internal error" not in err


@pytest.mark.parametrize("damage", [name for name in DAMAGE if name != "folder"])
def test_a_damaged_file_in_the_last_commit(project: Checkout, run: Run, damage: str) -> None:
    assert run("pin", "dev", "--push-later")[0] == 0
    good = project.lock.read_bytes()
    project.lock.write_bytes(DAMAGE[damage] or b"")
    project.commit_all()
    project.lock.write_bytes(good)

    status, out, err = run("promote", "dev", "prd")

    assert (status, out) == (2, "")
    assert "error: image-lock.json of the last commit: " in err
    assert "internal error" not in err


@pytest.mark.parametrize(
    ("name", "content"),
    [("HEAD", b"\xff\xfe"), ("HEAD", b""), ("index", b"\xff" * 40), ("config", b"\0\xff")],
)
def test_a_damaged_repository(project: Checkout, run: Run, name: str, content: bytes) -> None:
    (project.root / ".git" / name).write_bytes(content)

    status, out, err = run("pin", "dev", "--push-later")

    assert (status, out) == (2, "")
    assert "error: git cannot tell which commit this is: " in err
    assert f"hint: git -C {project.root} status" in err
    assert project.lock.read_text() == "{}\n"


@pytest.mark.proof
@pytest.mark.parametrize(
    "command", [["release", "pin", "dev"], ["imagecheck", "oci:image"], ["local"]]
)
def test_the_current_folder_is_gone(tmp_path: Path, command: list[str]) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    program = f"import os, runpy, sys; os.rmdir({str(gone)!r}); sys.argv = {command!r};" + (
        f" runpy.run_module({command[0]!r}, run_name='__main__', alter_sys=True)"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        cwd=gone, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == (
        "error: the folder that this was run in is gone\nhint: cd to a folder that is there\n"
    )


@pytest.mark.proof
def test_two_pins_at_once_as_people_type_them(project: Checkout) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with locked(project.root / "build/image-lock.json.lock"):
        pins = [
            subprocess.Popen(
                [sys.executable, "-m", "release", "pin", stage, "--push-later"],
                cwd=project.root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )
            for stage in ("dev", "prd")
        ]  # fmt: skip
        for process in pins:
            assert process.stderr
            assert process.stderr.readline() == (
                b"waiting for another release command that changes image-lock.json\n"
            )
    for process in pins:
        process.communicate()
        assert process.returncode == 0
    assert read_image_lock(project.lock).keys() == {"dev", "prd"}


def test_a_build_of_changes_names_those_that_are_there(project: Checkout, run: Run) -> None:
    project.record(RECORD.digest, dirty=True)
    (project.root / "new.py").write_text("1\n")
    for command in (["pin", "dev", "--push-later"], ["push", "dev"]):
        status, _, err = run(*command)
        assert status == 1
        assert "was built from uncommitted changes" in err
        assert "; now these are: new.py\n" in err


@pytest.mark.proof
def test_a_second_ship_waits_for_the_first(project: Checkout) -> None:
    shutil.rmtree(project.root / "lambda_src")  # so that it ends soon
    with locked(project.root / "build/ship.lock"):
        process = subprocess.Popen(
            [sys.executable, "-m", "release", "ship", "dev", "--until", "build", "--skip-boot"],
            cwd=project.root,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert process.stderr
        assert process.stderr.readline() == b"waiting for another ship in this checkout\n"
        assert not (project.root / "build/ship.log").exists()
    process.communicate()
    assert process.returncode == 2
