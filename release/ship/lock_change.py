"""What a release does to the lock file, so that an interruption can take it back."""

from dataclasses import dataclass, field

from config.git import run_git
from config.image_lock import restore_image_lock
from config.project import Project
from imagecheck.errors import FailedError
from release.deploy.signals import deferred_signals


@dataclass
class LockChange:
    """The lock file as it was, and the commits that were made of it since.

    Until ``keep`` is called, ``take_back`` leaves file, index and branch as they were.
    """

    project: Project
    before: bytes = field(init=False)
    commits: list[tuple[str, str]] = field(default_factory=list, init=False)
    """Each with its parent."""

    def __post_init__(self) -> None:
        """Read the file."""
        self.keep()

    def keep(self) -> None:
        """Let what was done so far stay: it is live. Raises FailedError."""
        lock = self.project.lock
        try:
            self.before = lock.read_bytes()
        except OSError as error:
            raise FailedError(f"{lock} cannot be read: {error.strerror}") from error
        self.commits.clear()

    @property
    def is_committed(self) -> bool:
        """Whether the last commit has the file as it is now."""
        return self.project.committed_lock() == self.project.lock.read_bytes()

    def commit(self, message: str) -> None:
        """Commit the file, and nothing else. Raises FailedError with what git says."""
        with deferred_signals():
            parent = self.project.revision().commit
            commit_file(self.project, self.project.lock.name, message)
            self.commits.append((self.project.revision().commit, parent))

    def take_back(self) -> None:
        """Undo the commits that are still the last ones, and write the file as it was.

        Raises FailedError when that does not succeed.
        """
        root, lock = self.project.root, self.project.lock
        for made, parent in reversed(self.commits):
            moved = run_git(root, "update-ref", "-m", "ship: interrupted", "HEAD", parent, made)
            if moved.returncode:
                break
            run_git(root, "reset", "--quiet", "--", lock.name)
        self.commits.clear()
        try:
            restore_image_lock(lock, self.before)
        except OSError as error:
            raise FailedError(
                f"{lock.name} could not be restored: {error.strerror}",
                hint=f"git checkout {lock.name}",
            ) from error


def commit_file(project: Project, name: str, message: str) -> None:
    """Commit one file and nothing else. Raises FailedError with what git says."""
    done = run_git(project.root, "commit", "--quiet", "--message", message, "--only", "--", name)
    if done.returncode:
        said = (done.stderr or done.stdout).decode("utf-8", "replace").strip()
        raise FailedError(
            f"git cannot commit {name}:\n  " + "\n  ".join(said.splitlines()),
            hint=f'git commit --message "{message}" -- {name}',
        )
