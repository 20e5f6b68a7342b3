"""Files of a checkout that may be a stranger's: in a folder, or in a revision that git has.

Nothing of it is run, and no link in it is followed.
"""

import contextlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Protocol

from config.git import run_git
from imagecheck.errors import FailedError

MAX_BYTES: Final = 5_000_000
"""The most that a file may have; the largest snapshot has a hundredth of it."""


class UnreadableError(Exception):
    """A file cannot be taken for what it should be. The message quotes nothing of it."""


class Source(Protocol):
    """One state of the project. Paths are relative to its root, with slashes."""

    def names(self, folder: str) -> list[str]:
        """Return what is in a folder, sorted; nothing, where there is no such folder.

        Raises FailedError where it cannot be listed.
        """

    def content(self, path: str) -> bytes | None:
        """Return a file's content, or None where there is no such file.

        Raises UnreadableError where it is not a regular file, or has more than ``MAX_BYTES``.
        """


def open_source(where: str, root: Path) -> Source:
    """Return the source that a person named: a folder, or a revision of the project in ``root``.

    Raises FailedError when it is neither, or both.
    """
    # An empty one is a variable that somebody has not set.
    if not where or where.startswith("-"):
        raise FailedError(f"{where!r} is neither a folder nor a git revision")
    folder = root / where
    commit = _commit(where, root)
    if folder.is_dir():
        if commit:
            raise FailedError(
                f"{where!r} is both a folder and a git revision",
                hint=f"write ./{where} for the folder, or the whole commit for the revision",
            )
        return _Folder(folder)
    if commit is None:
        raise FailedError(
            f"{where!r} is neither a folder nor a commit that git has here",
            hint="run git fetch, if the commit is at the remote",
        )
    return _Revision(root, commit)


@dataclass(frozen=True)
class _Folder:
    root: Path

    def names(self, folder: str) -> list[str]:
        try:
            with _opened(self.root, folder, os.O_DIRECTORY) as handle:
                return sorted(os.listdir(handle))  # noqa: PTH208  (Path takes no open folder)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise FailedError(f"{self.root / folder} cannot be listed: {_why(error)}") from error

    def content(self, path: str) -> bytes | None:
        try:
            # A pipe would keep whoever opens it waiting.
            with _opened(self.root, path, os.O_NONBLOCK) as handle:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise UnreadableError("it is not a regular file")
                with open(handle, "rb", closefd=False) as file:
                    return _small(file.read(MAX_BYTES + 1))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UnreadableError(_why(error)) from error


@dataclass(frozen=True)
class _Revision:
    root: Path
    commit: str

    def names(self, folder: str) -> list[str]:
        return sorted(PurePosixPath(name).name for name in self._entries(f"{folder}/"))

    def content(self, path: str) -> bytes | None:
        entry = self._entries(path).get(path)
        if entry is None:
            return None
        mode, _, object_id, size = entry.split()
        if mode not in {"100644", "100755"}:
            raise UnreadableError("it is not a regular file")
        if int(size) > MAX_BYTES:
            raise UnreadableError(_TOO_LARGE)
        return self._git("cat-file", "blob", object_id)

    def _entries(self, path: str) -> dict[str, str]:
        """Return mode, kind, id and size of what git has at a path, or in it if it ends in a slash.

        https://git-scm.com/docs/git-ls-tree#_output_format
        """
        listed = self._git("ls-tree", "--long", "--full-tree", "-z", self.commit, "--", path)
        entries = os.fsdecode(listed).split("\0")
        return {name: facts for facts, _, name in (entry.partition("\t") for entry in entries[:-1])}

    def _git(self, *arguments: str) -> bytes:
        done = run_git(self.root, *arguments)
        if done.returncode:
            raise FailedError(f"git cannot read commit {self.commit}", hint="git fsck")
        return done.stdout


_TOO_LARGE: Final = f"it has more than {MAX_BYTES // 1_000_000} MB"


@contextlib.contextmanager
def _opened(root: Path, path: str, flags: int) -> Iterator[int]:
    """Open what is at a path under a root, and follow no link on the way to it."""
    *folders, last = PurePosixPath(path).parts
    handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for name in folders:
            handle = _next(handle, name, os.O_DIRECTORY)
        handle = _next(handle, last, flags)
        yield handle
    finally:
        os.close(handle)


def _next(handle: int, name: str, flags: int) -> int:
    # O_NOFOLLOW answers a link with ELOOP.
    found = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | flags, dir_fd=handle)
    os.close(handle)
    return found


def _small(content: bytes) -> bytes:
    if len(content) > MAX_BYTES:
        raise UnreadableError(_TOO_LARGE)
    return content


def _why(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _commit(revision: str, root: Path) -> str | None:
    found = run_git(
        root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
    )
    return found.stdout.decode().strip() if found.returncode == 0 else None
