"""The build context: the same bytes, names, modes and times from every checkout."""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from config.function_libraries import DependenciesError, install_dependencies
from config.project import Project
from imagecheck.errors import FailedError
from imagecheck.function import Architecture
from release.build.record import BUILD

SOURCE = "lambda_src"
"""The folder that images are built from, below the project's root."""
DEPENDENCIES = "dependencies"
"""Where the libraries lie in the context."""


def write_context(
    project: Project, folder: Path, *, architecture: Architecture, python_version: str
) -> None:
    """Write the build context into a new folder: the source, and the libraries for a CPU.

    Of the source come the files that git knows or would add. Everything can be read by others, and
    folders entered, whatever the umask here. Raises FailedError.
    """
    folder.mkdir()
    for name in project.files(SOURCE):
        _copy(project.root / name, folder / Path(name).relative_to(SOURCE))
    libraries = _libraries(
        project,
        folder / "requirements.txt",
        architecture=architecture,
        python_version=python_version,
    )
    shutil.copytree(libraries, folder / DEPENDENCIES, symlinks=True)
    _normalise(folder)


def _libraries(
    project: Project, requirements: Path, *, architecture: Architecture, python_version: str
) -> Path:
    """Return a folder with the libraries: the one of an earlier build, where they are the same."""
    key = hashlib.sha256(requirements.read_bytes() + f"{architecture} {python_version}".encode())
    kept = project.root / BUILD / "libraries"
    folder = kept / key.hexdigest()[:16]
    if folder.exists():
        return folder
    # Whatever is kept is of other files than these: there is no way back to it.
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="installing-", dir=kept) as installing:
        new = Path(installing, "new")
        try:
            install_dependencies(
                new,
                architecture=architecture,
                python_version=python_version,
                requirements=requirements,
            )
        except DependenciesError as error:
            raise FailedError(f"the function's libraries cannot be installed: {error}") from error
        new.rename(folder)
    return folder


def _copy(source: Path, target: Path) -> None:
    # What git lists may be deleted here, or be a submodule.
    if source.is_symlink() or source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_symlink():
            target.symlink_to(source.readlink())
        else:
            target.write_bytes(source.read_bytes())
            target.chmod(0o755 if source.stat().st_mode & 0o100 else 0o644)


def _normalise(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        if path.is_symlink():
            os.utime(path, (0, 0), follow_symlinks=False)
        elif path.is_dir():
            path.chmod(0o755)
            os.utime(path, (0, 0))
        else:
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
            time = _time_of(path.read_bytes())
            os.utime(path, (time, time))


def _time_of(content: bytes) -> int:
    """Return a time, in seconds, that is another one for other content.

    BuildKit keeps the context of the build before, and takes a file for unchanged whose size and
    time are the same: https://github.com/moby/buildkit/issues/1058#issuecomment-934242206
    """
    return int.from_bytes(hashlib.sha256(content).digest()[:3], "big")
