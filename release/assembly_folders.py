"""The folders of cloud assemblies, which several commands make, use and remove at once."""

import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from config.file_lock import waiting_for_lock
from config.os_error import reason_of
from config.project import Project
from imagecheck.errors import FailedError
from release.build.record import BUILD

ASSEMBLIES: Final = BUILD / "assemblies"
"""Where they are kept, named by all that they are made of, below the project's root."""
UNFINISHED: Final = ".new"
"""The end of the name of a folder that a command still fills."""
_MOST_KEPT: Final = 4
_IN_USE_SECONDS: Final = 24 * 60 * 60


def is_whole(folder: Path) -> bool:
    """Whether a synth has left an assembly there."""
    return (folder / "manifest.json").is_file()


def use(project: Project, folder: Path) -> bool:
    """Whether an assembly is there; if so, ``prune`` lets it be for a day. Raises FailedError."""
    with _alone(project):
        if not is_whole(folder):
            return False
        # Who may read somebody else's folder may use it, too.
        with suppress(PermissionError):
            os.utime(folder)
    return True


@contextmanager
def placing(project: Project, folder: Path, *, keep: bool) -> Iterator[Path]:
    """Give the path of what takes the place of a folder, once it is whole.

    ``keep``: an assembly that another command has put there meanwhile stays. It is the same, and
    may be in use. Raises FailedError when the folder cannot be written.
    """
    new = folder.with_name(f"{folder.name}.{os.getpid()}{UNFINISHED}")
    try:
        shutil.rmtree(new, ignore_errors=True)
        new.parent.mkdir(parents=True, exist_ok=True)
        yield new
        with _alone(project):
            if not (keep and is_whole(folder)):
                _remove(folder)
                new.replace(folder)
    except OSError as error:
        raise FailedError(f"{folder} cannot be written: {reason_of(error)}") from error
    finally:
        shutil.rmtree(new, ignore_errors=True)


def link(project: Project, folder: Path, to: Path) -> None:
    """Make a folder beside another stand for it, unless it holds an assembly itself."""
    with _alone(project):
        if not is_whole(folder):
            _remove(folder)
            folder.symlink_to(to.name)


def copy(project: Project, folder: Path, to: Path) -> None:
    """Copy an assembly, which nobody removes meanwhile. Raises FailedError, or OSError."""
    with _alone(project):
        shutil.copytree(folder, to, symlinks=True)


def lend_assets(project: Project, folder: Path) -> None:
    """Give a synth into a folder the assets of the assemblies that are here.

    They are named by their content, and CDK neither bundles nor copies one that is there already:
    what is bundled for one assembly is there for the next. Raises FailedError.
    """
    try:
        # Nobody removes an assembly meanwhile: half an asset would be taken for a whole one.
        with _alone(project):
            for asset in sorted((project.root / ASSEMBLIES).glob("*/asset.*")):
                is_finished = is_whole(asset.parent) and asset.parent.suffix != UNFINISHED
                if is_finished and not (folder / asset.name).exists():
                    _lend(asset, folder / asset.name)
    except OSError as error:
        raise FailedError(f"{folder} cannot be written: {reason_of(error)}") from error


def drop_unused_assets(folder: Path) -> None:
    """Remove the assets that were lent to a synth, and that its assembly does not name.

    https://docs.aws.amazon.com/cdk/api/v2/docs/@aws-cdk_cloud-assembly-schema.FileAsset.html
    Raises OSError.
    """
    named = {
        file["source"].get("path")
        for manifest in folder.glob("*.assets.json")
        for file in json.loads(manifest.read_text(encoding="utf-8"))["files"].values()
    }
    for asset in folder.glob("asset.*"):
        if asset.name not in named:
            shutil.rmtree(asset) if asset.is_dir() else asset.unlink()


def _lend(asset: Path, place: Path) -> None:
    if asset.is_dir():
        shutil.copytree(asset, place, copy_function=_link)
    else:
        place.parent.mkdir(parents=True, exist_ok=True)
        _link(asset, place)


def _link(source: Path | str, target: Path | str) -> None:
    """Link a file, which nobody changes any more; on another file system it is copied."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def prune(project: Project) -> None:
    """Keep the assemblies that were used last, and all that were used within a day.

    Those may be in use. A link is no assembly by itself: it was made when the folder that it
    stands for was used, and goes with it.
    """
    with _alone(project):
        there = [*(project.root / ASSEMBLIES).iterdir()]
        links = [path for path in there if path.is_symlink()]
        used_at = {path: _changed_at(path) for path in there if path not in links}
        for path in links:
            folder = path.with_name(path.resolve().name)
            if folder in used_at:
                used_at[folder] = max(used_at[folder], _changed_at(path))
        still_used = time.time() - _IN_USE_SECONDS
        for path in sorted(used_at, key=used_at.__getitem__, reverse=True)[_MOST_KEPT:]:
            if used_at[path] < still_used:
                _remove(path)
        for path in links:
            if not path.exists():
                path.unlink()


def _changed_at(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except FileNotFoundError:  # a synth that broke off has removed its folder meanwhile
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
