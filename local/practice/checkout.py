"""A checkout to practise in: a copy of this one, with this machine's CPU, as one commit."""

import json
import shutil
from pathlib import Path
from typing import Final

from config.function_libraries import PYTHON_VERSION
from config.git import run_git
from config.image_lock import write_image_lock
from imagecheck.errors import FailedError
from imagecheck.function import Architecture

INSTALLED: Final = (".venv", "node_modules")
"""What `make setup` installs: the copy has links to that of the original."""
_BEFORE: Final = ".before"
_NOBODY: Final = {"user.name": "Practice", "user.email": "practice@example.com"}


def make_practice_checkout(
    source: Path, folder: Path, *, architecture: Architecture, python_version: str
) -> None:
    """Copy a checkout to ``folder``, fit for this machine. One that was there moves aside.

    Its commands find an image for this CPU and for this Python right, in all stages. Raises
    FailedError.
    """
    before = folder.with_name(f"{folder.name}{_BEFORE}")
    if folder.exists():
        shutil.rmtree(before, ignore_errors=True)
        folder.rename(before)
    copy_checkout(source, folder)
    cdk_json = folder / "cdk.json"
    document = json.loads(cdk_json.read_text(encoding="utf-8"))
    for settings in document["context"]["stages"].values():
        settings["architecture"] = architecture
    cdk_json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    write_image_lock(folder / document["context"]["imageLock"], {})
    # The zip runs under this Python, too.
    libraries = folder / "config" / "function_libraries.py"
    text = libraries.read_text(encoding="utf-8")
    libraries.write_text(text.replace(f'"{PYTHON_VERSION}"', f'"{python_version}"'), "utf-8")
    _settle_author(folder)
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "--message=The lobby, for this machine")


def copy_checkout(source: Path, folder: Path) -> None:
    """Copy the files that git knows or would add, with their times, into a new repository.

    What is installed is linked, not copied: the same times let `make setup` find nothing to do.
    Raises FailedError when git fails.
    """
    listed = _git(source, "ls-files", "-z", "-co", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        # git also lists deleted files that are not committed.
        if (source / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / name, folder / name)
    for name in INSTALLED:
        if (source / name).exists():
            (folder / name).symlink_to((source / name).resolve())
    _git(folder, "init", "--quiet")
    # .gitignore may name them as folders, and here they are links.
    (folder / ".git" / "info").mkdir(exist_ok=True)
    (folder / ".git" / "info" / "exclude").write_text("".join(f"{name}\n" for name in INSTALLED))


def _settle_author(folder: Path) -> None:
    """Let commits in the copy succeed: unsigned, and by somebody where git knows nobody."""
    _git(folder, "config", "commit.gpgSign", "false")
    for name, value in _NOBODY.items():
        if run_git(folder, "config", name).returncode:
            _git(folder, "config", name, value)


def _git(folder: Path, *arguments: str) -> str:
    done = run_git(folder, *arguments)
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise FailedError(f"`git {' '.join(arguments)}` failed in {folder}:\n{said}")
    return done.stdout.decode("utf-8", "surrogateescape")
