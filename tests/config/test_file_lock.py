"""A lock between processes: who comes later waits and says so, and no kill leaves it behind."""

import signal
import subprocess
import sys
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from config.file_lock import LockedError, locked, waiting_for_lock
from imagecheck.errors import FailedError
from tests.support.cdk_context import ROOT

WAIT = (
    "import sys; from pathlib import Path; from config.file_lock import waiting_for_lock\n"
    "with waiting_for_lock(Path(sys.argv[1]), 'somebody'): print('mine', flush=True)"
)
HOLD = WAIT + "; sys.stdin.read()"


def process(program: str, path: Path) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", program, str(path)]
    return subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe)


def line(stream: object) -> bytes:
    return stream.readline()  # type: ignore[attr-defined,no-any-return]


@pytest.mark.proof
def test_who_comes_later_waits_and_says_for_whom(tmp_path: Path) -> None:
    path = tmp_path / "build" / "lock"
    with locked(path):
        waiting = process(WAIT, path)
        assert line(waiting.stderr) == b"waiting for somebody\n"
        assert waiting.poll() is None

    out, _ = waiting.communicate()
    assert (waiting.returncode, out) == (0, b"mine\n")


def test_a_killed_one_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    holder = process(HOLD, path)
    assert line(holder.stdout) == b"mine\n"
    with pytest.raises(LockedError), locked(path):
        pass

    holder.send_signal(signal.SIGKILL)
    holder.communicate()

    with locked(path):
        pass


@pytest.mark.proof
def test_ctrl_c_ends_the_wait(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with locked(path):
        waiting = process(WAIT, path)
        line(waiting.stderr)
        waiting.send_signal(signal.SIGINT)
        out, err = waiting.communicate()
    assert out == b""
    assert b"KeyboardInterrupt" in err


def test_it_is_between_threads_too(tmp_path: Path) -> None:
    path, order = tmp_path / "lock", []

    def other() -> None:
        with waiting_for_lock(path, "this thread"):
            order.append("other")

    thread = threading.Thread(target=other)
    with waiting_for_lock(path, "nobody"):
        thread.start()
        order.append("this")
    thread.join()
    assert order == ["this", "other"]


def test_where_no_lock_can_be_nothing_is_done(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "folder").mkdir()
    for path, reason in {
        tmp_path / "file" / "lock": "File exists",
        tmp_path / "folder": "Is a directory",
    }.items():
        refused = pytest.raises(FailedError, match=f"locked: {reason}; nothing was changed")
        with refused, waiting_for_lock(path, "nobody"):
            raise AssertionError


@pytest.mark.proof
def test_a_lock_that_may_only_be_read_is_none() -> None:
    """Root has left it, say, who may write to everything: the test becomes somebody else."""
    program = (
        "import os, sys; from pathlib import Path; from config.file_lock import locked\n"
        "if not os.getuid(): os.setuid(65534)\n"
        "with locked(Path(sys.argv[1])): print('mine')"
    )
    # Not in the folder of this test, which others may not enter.
    with TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o777)
        path = Path(folder) / "lock"
        path.touch()
        path.chmod(0o666)
        assert process(program, path).communicate() == (b"mine\n", b"")
        path.chmod(0o444)
        out, err = process(program, path).communicate()
    assert out == b""
    assert b"lock cannot be locked: Permission denied; nothing was changed" in err
