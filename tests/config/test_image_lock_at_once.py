"""Several release commands change the lock file at once, and some of them are killed."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from config.file_lock import locked
from config.image_lock import ImagePin, read_image_lock, take_back_pin, write_image_lock, write_pin
from config.settings import ConfigurationError
from imagecheck.errors import FailedError
from tests.support.cdk_context import ROOT
from tests.support.release.checkout import PIN, Checkout, checkout, git

OTHER = msgspec.structs.replace(PIN, digest="sha256:" + "e" * 64)
WRITE = """
import sys
from pathlib import Path
import msgspec
from config.image_lock import write_pin
from tests.support.release.checkout import PIN
path, stage = Path(sys.argv[1]), sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[3])):
    write_pin(path, stage, msgspec.structs.replace(PIN, source_revision=str(number)))
"""
KILLED = "import os, signal\nos.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n" + WRITE


@pytest.fixture
def project(tmp_path: Path) -> Checkout:
    return checkout(tmp_path / "checkout")


def writer(
    project: Checkout, stage: str, times: int = 1, program: str = WRITE
) -> subprocess.Popen[bytes]:
    """A process that pins an image that many times, once it is told to."""
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        [sys.executable, "-c", program, project.lock, stage, str(times)],
        cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe,
    )  # fmt: skip
    assert process.stdout
    assert process.stdout.readline() == b"ready\n"
    return process


def go(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin
    process.stdin.write(b"\n")
    process.stdin.flush()


def the_lock(project: Checkout) -> Path:
    """What stands for the right to change the file, where git ignores it."""
    return project.root / "build" / "image-lock.json.lock"


@pytest.mark.proof
def test_pins_that_come_while_others_wait_are_all_kept(project: Checkout) -> None:
    writers = [writer(project, stage) for stage in ("dev", "prd")]
    with locked(the_lock(project)):
        for process in writers:
            go(process)
        for process in writers:
            assert process.stderr
            assert process.stderr.readline() == (
                b"waiting for another release command that changes image-lock.json\n"
            )
        write_image_lock(project.lock, {"local": PIN})

    for process in writers:
        _, err = process.communicate()
        assert (process.returncode, err) == (0, b"")
    assert read_image_lock(project.lock).keys() == {"local", "dev", "prd"}


@pytest.mark.proof
def test_many_at_once_lose_none_and_fail_never(project: Checkout) -> None:
    stages = ["dev", "prd", "local", "dev"]
    writers = [writer(project, stage, 20) for stage in stages]
    for process in writers:
        go(process)
    for process in writers:
        _, err = process.communicate()
        assert process.returncode == 0, err
    pins = read_image_lock(project.lock)
    assert {stage: pin.source_revision for stage, pin in pins.items()} == dict.fromkeys(
        stages, "19"
    )
    assert git(project.root, "status", "--porcelain") == " M image-lock.json\n"


def test_a_kill_between_writing_and_replacing(project: Checkout) -> None:
    """The file is as it was, the tree is clean, and the next command removes what is left."""
    before = project.lock.read_bytes()
    killed = writer(project, "dev", program=KILLED)
    go(killed)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL

    assert project.lock.read_bytes() == before
    assert not project.project.revision().dirty
    assert git(project.root, "status", "--porcelain") == ""
    assert len(list((project.root / "build").glob(".*.tmp"))) == 1

    write_pin(project.lock, "prd", PIN)

    assert read_image_lock(project.lock) == {"prd": PIN}
    assert not list((project.root / "build").glob(".*.tmp"))


@pytest.mark.parametrize("name", ["image-lock.tmp", ".image-lock.json.12-ab.tmp"])
def test_what_older_versions_left_makes_nothing_dirty(project: Checkout, name: str) -> None:
    (project.root / name).write_text("{")
    assert not project.project.revision().dirty
    shutil.copy(ROOT / ".gitignore", project.root)
    project.commit_all()
    assert name not in git(project.root, "ls-files")


def test_a_pin_of_somebody_else_is_not_taken_back(project: Checkout) -> None:
    before = project.lock.read_bytes()
    write_pin(project.lock, "dev", PIN)
    write_pin(project.lock, "prd", OTHER)

    assert take_back_pin(project.lock, "dev", PIN, before)

    assert read_image_lock(project.lock) == {"prd": OTHER}


def test_nor_is_one_of_the_same_stage(project: Checkout) -> None:
    before = project.lock.read_bytes()
    write_pin(project.lock, "dev", PIN)
    write_pin(project.lock, "dev", OTHER)

    assert not take_back_pin(project.lock, "dev", PIN, before)

    assert read_image_lock(project.lock) == {"dev": OTHER}


@pytest.mark.parametrize("pins", [{}, {"dev": OTHER}, {"prd": PIN}, {"dev": OTHER, "prd": PIN}])
def test_taken_back_it_is_the_same_file(project: Checkout, pins: dict[str, ImagePin]) -> None:
    write_image_lock(project.lock, pins)
    project.lock.write_bytes(project.lock.read_bytes() + b"\n\n")
    before = project.lock.read_bytes()
    write_pin(project.lock, "dev", PIN)
    assert take_back_pin(project.lock, "dev", PIN, before)
    assert project.lock.read_bytes() == before


def test_a_symlink_is_refused_and_stays(project: Checkout, tmp_path: Path) -> None:
    """Git would commit the name of its target."""
    elsewhere = tmp_path / "pins.json"
    shutil.move(project.lock, elsewhere)
    project.lock.symlink_to(elsewhere)
    with pytest.raises(ConfigurationError, match="is a symlink") as refused:
        write_pin(project.lock, "dev", PIN)
    assert refused.value.hint == f"rm image-lock.json && cp {elsewhere} image-lock.json"
    assert project.lock.is_symlink()
    assert elsewhere.read_text() == "{}\n"


def test_a_folder_that_is_gone_is_told(project: Checkout) -> None:
    shutil.rmtree(project.root)
    project.root.write_text("in its place")
    with pytest.raises(FailedError, match="nothing was changed"):
        write_pin(project.lock, "dev", PIN)
