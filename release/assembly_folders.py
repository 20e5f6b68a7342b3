"""The folders of cloud assemblies, which several commands make, use and remove at once."""

import json
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
UNFINISHED: Final = ".new"
"""The end of the name of a folder that a command still fills."""
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
        raise FailedError(f"{folder} cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(new, ignore_errors=True)


def link(project: Project, folder: Path, to: Path) -> None:
    """Make a folder beside another stand for it, unless it holds an assembly itself."""
    with _alone(project):
        if not is_whole(folder):
            _remove(folder)
            folder.symlink_to(to.name)


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
        raise FailedError(f"{folder} cannot be written: {error.strerror}") from error


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
