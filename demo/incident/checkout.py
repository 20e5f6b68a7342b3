"""A clone of this repository with real commits, in which real commands run."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.cdk_context import ROOT

_WHO = ["-c", "user.name=A. Person", "-c", "user.email=person@example.com"]


@dataclass(frozen=True)
class CommandResult:
    """The result of a command."""

    status: int
    stdout: str
    stderr: str

    @property
    def all(self) -> str:
        """Standard output and standard error."""
        return self.stdout + self.stderr


class Checkout:
    """A clone in ``root``. ``environment`` points its commands to AWS; nothing else does.

    Every command and its output is written to ``log``.
    """

    def __init__(self, root: Path, environment: Mapping[str, str], log: Path) -> None:
        self.root = root
        ours = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self._environment = {**ours, **environment, "HOME": os.environ["HOME"]}
        self._log = log
        files = _run(["git", "ls-files", "-z", "-co", "--exclude-standard"], ROOT).split("\0")
        for name in filter(None, files):
            # git also lists deleted files that are not committed.
            if (ROOT / name).is_file():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, root / name)
        (root / "node_modules").symlink_to(ROOT / "node_modules")
        self.git("init", "--quiet")
        (root / ".git/info/exclude").write_text("node_modules\n")

    def release(self, *arguments: str) -> CommandResult:
        """Run ``python -m release``."""
        return self.run(sys.executable, "-m", "release", *arguments)

    def run(self, *command: str) -> CommandResult:
        """Run a command in the clone."""
        done = subprocess.run(
            command,
            cwd=self.root,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        with self._log.open("a", encoding="utf-8") as log:
            log.write(f"$ {' '.join(command)}\n{done.stdout}{done.stderr}[{done.returncode}]\n\n")
        return CommandResult(done.returncode, done.stdout, done.stderr)

    def read(self, path: str) -> str:
        """Return a file of the clone."""
        return (self.root / path).read_text(encoding="utf-8")

    def write(self, path: str, text: str) -> None:
        """Write a file of the clone, with the line ends that ``text`` has."""
        (self.root / path).write_text(text, encoding="utf-8", newline="")

    def replace(self, path: str, old: str, new: str) -> None:
        """Replace the only occurrence of ``old`` in a file of the clone."""
        text = self.read(path)
        assert text.count(old) == 1, f"{path} has {old!r} {text.count(old)} times"
        self.write(path, text.replace(old, new))

    def change_context(self, stage: str, **settings: object) -> None:
        """Change settings of a stage in ``cdk.json``."""
        document = json.loads(self.read("cdk.json"))
        document["context"]["stages"][stage].update(settings)
        self.write("cdk.json", json.dumps(document, indent=2) + "\n")

    def commit(self, message: str) -> str:
        """Commit everything, and return the commit."""
        self.git("add", "--all")
        self.git(*_WHO, "commit", "--quiet", "--allow-empty", f"--message={message}")
        return self.head()

    def head(self) -> str:
        """Return the last commit."""
        return self.git("rev-parse", "HEAD").strip()

    def reset_to(self, commit: str) -> None:
        """Reset the clone to a commit."""
        self.git("reset", "--quiet", "--hard", commit)

    def git(self, *arguments: str) -> str:
        """Run git in the clone."""
        return _run(["git", *arguments], self.root)


def _run(command: list[str], folder: Path) -> str:
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
