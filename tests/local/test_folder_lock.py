"""The lock on a folder: one system at a time, and none that is left behind."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from local.folder_lock import WorkFolderInUseError, locked
from tests.support.cdk_context import ROOT

HOLD = "import sys; from pathlib import Path; from local.folder_lock import locked\n" + (
    "with locked(Path(sys.argv[1])): print('locked', flush=True); sys.stdin.read()"
)


def test_a_second_one_is_refused_in_this_process_too(tmp_path: Path) -> None:
    refused = pytest.raises(WorkFolderInUseError, match="another system runs in")
    with locked(tmp_path), refused, locked(tmp_path):
        pass
    with locked(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_it_ends_with_its_process_however_that_ends(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"locked\n"
    with pytest.raises(WorkFolderInUseError), locked(tmp_path):
        pass

    holder.send_signal(signal.SIGKILL)
    holder.communicate()

    with locked(tmp_path):
        pass


def test_a_lock_file_of_an_older_version_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    with locked(tmp_path):
        pass
