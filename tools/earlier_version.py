"""``python -m tools.earlier_version REVISION``: the code that runs while the next is rolled out.

Run it with the revision that is live, when a release changes what is stored: then the trial and the
tests of items of another version run that code beside this one. The same revision gives the same
bytes.
"""

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

from chaos.earlier_version import PATH

ROOT: Final = Path(__file__).parents[1]
_FOLDER: Final = "lambda_src/rooms"


def write(revision: str, path: Path = PATH, *, repository: Path = ROOT) -> None:
    """Write the archive of a revision."""
    commit = _git("rev-parse", "--verify", f"{revision}^{{commit}}", folder=repository).strip()
    listed = _git("ls-tree", "-r", "--name-only", commit, f"{_FOLDER}/", folder=repository)
    names = sorted(name for name in listed.splitlines() if name.endswith(".py"))
    if not names:
        raise SystemExit(f"{revision} has no {_FOLDER}")
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            # Stored, not compressed: not every zlib gives the same bytes.
            member = zipfile.ZipInfo(name.removeprefix("lambda_src/"))
            member.external_attr = 0o644 << 16
            archive.writestr(member, _git("show", f"{commit}:{name}", folder=repository))
        archive.comment = commit.encode()


def _git(*arguments: str, folder: Path) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, check=False, capture_output=True, encoding="utf-8"
    )
    if done.returncode:
        raise SystemExit(done.stderr.strip())
    return done.stdout


if __name__ == "__main__":
    write(sys.argv[1])
