"""Git, asked about a checkout."""

import subprocess
from pathlib import Path

from imagecheck.errors import FailedError


def run_git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run git in a folder, whatever it answers, in bytes: names and contents need not be text.

    Raises FailedError where git is not installed, or the folder is gone.
    """
    try:
        return subprocess.run(  # noqa: S603  (git, with arguments of ours)
            ["git", *arguments],  # noqa: S607  (the user's own)
            cwd=folder,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError as error:
        if not folder.exists():
            raise FailedError(f"the folder {folder} is gone") from error
        raise FailedError("git is not installed", hint="https://git-scm.com/downloads") from error
