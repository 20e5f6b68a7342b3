"""Git, asked about a checkout in bytes: names and contents need not be text."""

import subprocess
from pathlib import Path

from release.errors import CannotDoError


def run_git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run git in a folder, whatever it answers. Raises CannotDoError where it is not installed."""
    try:
        return subprocess.run(  # noqa: S603  (git, with arguments of ours)
            ["git", *arguments],  # noqa: S607  (whichever the person uses)
            cwd=folder,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise CannotDoError("git is not installed; it says what is in which commit") from None
