"""The differences between the work tree and the last commit, as git reports them."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from config.git import run_git
from imagecheck.errors import FailedError

Mode = Literal["100644", "100755", "120000"]
"""A file, a program, a symlink: https://git-scm.com/docs/git-fast-import#_filemodify"""
_GONE = "000000"
_MODES: dict[str, Mode] = {mode: mode for mode in ("100644", "100755", "120000")}


@dataclass(frozen=True)
class Change:
    """A file that is another one than in the commit."""

    path: str
    """From the root of the checkout, with slashes."""
    mode: Mode
    content: bytes | None
    """All of it; of a symlink its text. None: the file is gone."""


@dataclass(frozen=True)
class WorkTree:
    """A checkout, compared with its last commit."""

    commit: str
    """40 hexadecimal digits."""
    changes: tuple[Change, ...]
    """By path."""
    untracked: tuple[str, ...]
    """What git neither knows nor ignores. `git add --intent-to-add` makes it a change."""


def read_work_tree(folder: Path) -> WorkTree:
    """Ask git what differs, in the whole checkout that a folder is in.

    Raises FailedError where it is none, git is not installed, or a file cannot be read.
    """
    root = Path(os.fsdecode(_git(folder, "rev-parse", "--show-toplevel")).removesuffix("\n"))
    commit = _git(root, "rev-parse", "--verify", "HEAD^{commit}").decode().strip()
    listed = _split(
        # Submodules are other repositories' commits.
        _git(root, "diff", "--raw", "-z", "--no-renames", "--ignore-submodules", commit)
    )
    untracked = _split(_git(root, "ls-files", "-z", "--others", "--exclude-standard"))
    # Two entries a file: `:MODE MODE SHA SHA STATUS`, and its path.
    # https://git-scm.com/docs/diff-format#_raw_output_format
    changes = [
        _change(root, path, *facts.removeprefix(":").split(" ")[:2])
        for facts, path in zip(listed[::2], listed[1::2], strict=True)
    ]
    return WorkTree(commit, tuple(changes), tuple(untracked))


def is_branch_name(name: str) -> bool:
    """Whether git accepts this as the name of a branch. Raises as ``read_work_tree``."""
    return run_git(Path.cwd(), "check-ref-format", f"refs/heads/{name}").returncode == 0


def _change(root: Path, path: str, before: str, now: str) -> Change:
    if now == _GONE:
        return Change(path, _MODES.get(before, "100644"), None)
    if now not in _MODES:
        raise FailedError(f"{path} is neither a file nor a symlink, so it cannot be proposed")
    try:
        file = root / path
        content = os.fsencode(file.readlink()) if now == "120000" else file.read_bytes()
    except OSError as error:
        raise FailedError(f"{path} cannot be read: {error.strerror}") from error
    return Change(path, _MODES[now], content)


def _split(output: bytes) -> list[str]:
    return [os.fsdecode(text) for text in output.split(b"\0") if text]


def _git(folder: Path, *arguments: str) -> bytes:
    done = run_git(folder, *arguments)
    if done.returncode:
        why = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise FailedError(f"git cannot compare the work tree: {why[0]}")
    return done.stdout
