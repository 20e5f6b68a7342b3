"""The folders of cloud assemblies, which several commands make, use and remove at once."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from config.file_lock import waiting_for_lock
from config.project import Project
from imagecheck.errors import FailedError
from release.build.record import BUILD

ASSEMBLIES: Final = BUILD / "assemblies"
"""Where they are kept, named by all that they are made of, below the project's root."""
_MOST_KEPT: Final = 4


def is_whole(folder: Path) -> bool:
    """Whether a synth has left an assembly there."""
    return (folder / "manifest.json").is_file()


@contextmanager
def placing(project: Project, folder: Path, *, keep: bool) -> Iterator[Path]:
    """Give the path of what takes the place of a folder, once it is whole.

    ``keep``: an assembly that another command has put there meanwhile stays. It is the same, and
    may be in use. Raises FailedError when the folder cannot be written.
    """
    new = folder.with_name(f"{folder.name}.{os.getpid()}.new")
    try:
        shutil.rmtree(new, ignore_errors=True)
        new.parent.mkdir(parents=True, exist_ok=True)
        yield new
        with _alone(project):
            if not (keep and is_whole(folder)):
                _remove(folder)
                new.replace(folder)
    except OSError as error:
        raise FailedError(f"{folder} cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(new, ignore_errors=True)


def link(project: Project, folder: Path, to: Path) -> None:
    """Make a folder beside another stand for it, unless it holds an assembly itself."""
    with _alone(project):
        if not is_whole(folder):
            _remove(folder)
            folder.symlink_to(to.name)


def prune(project: Project) -> None:
    """Keep the assemblies that were used last."""
    with _alone(project):
        kept = sorted((project.root / ASSEMBLIES).iterdir(), key=_used_at, reverse=True)
        for path in kept[_MOST_KEPT:]:
            _remove(path)


def _used_at(folder: Path) -> float:
    try:
        return folder.lstat().st_mtime
    except FileNotFoundError:  # another synth's, which has got its name meanwhile
        return 0


@contextmanager
def _alone(project: Project) -> Iterator[None]:
    lock = project.root / ASSEMBLIES.with_suffix(".lock")
    with waiting_for_lock(lock, f"another release command that changes {ASSEMBLIES.as_posix()}"):
        yield


def _remove(path: Path) -> None:
    if path.is_symlink():
        path.unlink()
    else:
        shutil.rmtree(path, ignore_errors=True)
