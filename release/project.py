"""The project that commands work on: the folder they are run in, as with the CDK CLI."""

import json
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from release.errors import CannotDoError
from stacks.names import StageNames
from stacks.settings import ConfigurationError, StageSettings, read_settings


class Revision(NamedTuple):
    """What the work tree is."""

    commit: str
    """40 hexadecimal digits."""
    dirty: bool
    """Whether anything is not as in that commit, but for the lock file, which `pin` writes."""


@dataclass(frozen=True)
class Stage:
    """A stage of the project."""

    names: StageNames
    settings: StageSettings

    @property
    def name(self) -> str:
        """As in ``cdk.json``."""
        return self.names.stage


@dataclass(frozen=True)
class Project:
    """A checkout of this repository.

    ``root`` is absolute; ``context`` is that of ``cdk.json``.
    """

    root: Path
    context: dict[str, Any]

    @property
    def lock(self) -> Path:
        """The lock file: which image each stage runs."""
        return self.root.joinpath(self.context["imageLock"])

    @property
    def packaging(self) -> str:
        """How functions are packaged where nothing else is said: ``image`` or ``zip``."""
        return str(self.context.get("packaging", "image"))

    def stage(self, name: str) -> Stage:
        """Return a stage. Raises CannotDoError when there is none of that name."""
        try:
            return Stage(StageNames(name), read_settings(self.context["stages"], name))
        except ConfigurationError as error:
            raise CannotDoError(str(error)) from None

    def revision(self) -> Revision:
        """Ask git. Raises CannotDoError where this is no checkout, or git is not installed."""
        commit = self._git("rev-parse", "HEAD").strip()
        lock = self.lock.relative_to(self.root).as_posix()
        changed = self._git("status", "--porcelain", "--", ".", f":(exclude){lock}")
        return Revision(commit, bool(changed.strip()))

    def files(self, folder: str) -> list[str]:
        """Return the files in a folder that git knows or would add, sorted.

        A name is relative to the project, with slashes. Raises as ``revision`` does.
        """
        listed = self._git("ls-files", "-z", "-co", "--exclude-standard", "--", folder)
        return sorted({name for name in listed.split("\0") if name})

    def is_same_since(self, commit: str, folder: str) -> bool:
        """Whether a folder is now as it was in a commit; not, where git knows no such commit."""
        found = self._ask_git("diff", "--quiet", commit, "--", folder)
        return found.returncode == 0

    def committed_lock(self) -> str | None:
        """Return the lock file as the last commit has it; None: it has none."""
        lock = self.lock.relative_to(self.root).as_posix()
        found = self._ask_git("show", f"HEAD:./{lock}")
        return found.stdout if found.returncode == 0 else None

    def _git(self, *arguments: str) -> str:
        done = self._ask_git(*arguments)
        if done.returncode:
            raise CannotDoError(
                f"git cannot say which commit this is: {done.stderr.strip().splitlines()[0]}"
            )
        return done.stdout

    def _ask_git(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(  # noqa: S603  (git, with arguments of ours)
                ["git", *arguments],  # noqa: S607  (whichever the person uses)
                cwd=self.root,
                capture_output=True,
                text=True,
                check=False,
            )
        except FileNotFoundError:
            raise CannotDoError("git is not installed; it says which commit this is") from None


def project_here() -> Project:
    """Return the project in the current folder. Raises CannotDoError when there is none."""
    root = Path.cwd()
    path = root / "cdk.json"
    try:
        context = json.loads(path.read_text(encoding="utf-8"))["context"]
        context["stages"], context["imageLock"]
    except FileNotFoundError:
        raise CannotDoError(
            "there is no cdk.json here: run this in the root of the checkout"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CannotDoError(f"{path} is not that of this project: {error!r}") from None
    return Project(root, context)


def now() -> str:
    """Return the time in ISO 8601, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
