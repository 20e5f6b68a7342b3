"""What a release does to the lock file, so that an interruption can take it back."""

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess
from typing import Final

from config.git import run_git
from config.image_lock import (
    AS_COMMITTED,
    ImagePin,
    pins_of,
    read_image_lock,
    reason_of,
    require_own_file,
    take_back_pin,
)
from config.json_file import DamagedFileError
from config.project import Project
from imagecheck.errors import CommandError, FailedError
from imagecheck.terminal import warn
from release.deploy.signals import deferred_signals

_LOCK_FILE: Final = re.compile(rb"'([^'\n]+\.lock)'")
_LOOK_SECONDS: Final = 0.2
_SILENT_LOOKS: Final = 5
_MOST_LOOKS: Final = 150


@dataclass
class LockChange:
    """A stage's pin as it was, and the commits that were made of it since.

    Until ``keep`` is called, ``take_back`` leaves the stage's pin, index and branch as they were.
    """

    project: Project
    stage: str
    before: bytes = field(init=False)
    """The content of the file."""
    commits: list[tuple[str, str]] = field(default_factory=list, init=False)
    """Each with its parent."""

    def __post_init__(self) -> None:
        """Read the file."""
        self.keep()

    def keep(self) -> None:
        """Let what was done so far stay: it is live.

        Raises ConfigurationError where the file is not one that can be read and changed.
        """
        lock = self.project.lock
        require_own_file(lock)
        read_image_lock(lock)
        try:
            self.before = lock.read_bytes()
        except OSError as error:
            raise FailedError(f"{lock} cannot be read: {error.strerror}") from error
        self.commits.clear()

    @property
    def is_committed(self) -> bool:
        """Whether the last commit has the stage's pin as it is now."""
        try:
            committed = pins_of(self.project.committed_lock() or b"{}")
        except DamagedFileError:
            return False
        return committed.get(self.stage) == read_image_lock(self.project.lock).get(self.stage)

    def commit(self, message: str) -> None:
        """Commit the file, and nothing else; not where somebody else has committed it meanwhile.

        Raises FailedError with what git says.
        """
        project, name = self.project, self.project.lock.name

        def attempt() -> CompletedProcess[bytes]:
            with deferred_signals():
                parent = project.revision().commit
                done = _commit(project, name, message)
                made = project.revision().commit
                # A commit of somebody else before or after it is not to be taken back.
                before = run_git(project.root, "rev-parse", f"{made}^").stdout.decode().strip()
                if done.returncode == 0 and before == parent:
                    self.commits.append((made, parent))
            return done

        if not self.is_committed:
            done = _patiently(attempt)
            if not self.is_committed:
                _require_done(done, name, message)

    def take_back(self, pin: ImagePin | None) -> bool:
        """Undo the commits that are still the last ones, and give the stage the pin that it had.

        Pins of other stages stay as they are by now. So does the stage's own where it is not
        ``pin``, which this release has written: that is False, and somebody has said so already.

        Raises FailedError when it does not succeed.
        """
        root, lock = self.project.root, self.project.lock
        for made, parent in reversed(self.commits):
            back = ["update-ref", "-m", "ship: interrupted", "HEAD", parent, made]
            if _patiently(partial(run_git, root, *back)).returncode:
                warn(f"the commit {made[:12]} stays: it is not the last one any more")
                break
            _patiently(partial(run_git, root, "reset", "--quiet", "--", lock.name))
        self.commits.clear()
        if pin is None:
            return True
        try:
            is_back = take_back_pin(lock, self.stage, pin, self.before)
        except (CommandError, OSError) as error:
            raise FailedError(
                f"{lock.name} could not be restored: {reason_of(error)}; it still pins {pin.digest}"
                f" for {self.stage}",
                hint=AS_COMMITTED.format(name=lock.name),
            ) from error
        if not is_back:
            warn(
                f"{lock.name} keeps the pin of {self.stage}: another command has changed it"
                " meanwhile"
            )
        return is_back


def commit_file(project: Project, name: str, message: str) -> None:
    """Commit one file and nothing else. Raises FailedError with what git says."""
    _require_done(_patiently(partial(_commit, project, name, message)), name, message)


def _commit(project: Project, name: str, message: str) -> CompletedProcess[bytes]:
    options = ["--quiet", "--message", message, "--only"]
    return run_git(project.root, "commit", *options, "--", name)


def _require_done(done: CompletedProcess[bytes], name: str, message: str) -> None:
    if done.returncode:
        said = (done.stderr or done.stdout).decode("utf-8", "replace").strip()
        raise FailedError(
            f"git cannot commit {name}:\n  " + "\n  ".join(said.splitlines()),
            hint=f'git commit --message "{message}" -- {name}',
        )


def _patiently(attempt: Callable[[], CompletedProcess[bytes]]) -> CompletedProcess[bytes]:
    """Ask git, again while another git command changes index or branch: git itself does not wait.

    What is busy after half a minute was left behind: git's own message says what to do.
    """
    done = attempt()
    for look in range(_MOST_LOOKS):
        if done.returncode == 0 or not _is_busy(done.stderr):
            break
        if look == _SILENT_LOOKS:
            warn("waiting for another git command in this checkout")
        time.sleep(_LOOK_SECONDS)
        done = attempt()
    return done


def _is_busy(said: bytes) -> bool:
    # The words are in the user's language, and the same where the folder cannot be written.
    named = _LOCK_FILE.search(said)
    return bool(named and (b"File exists" in said or Path(os.fsdecode(named[1])).exists()))
