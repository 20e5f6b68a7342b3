"""The project of a command: the checkout in the current folder, as with the CDK CLI."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from config.git import run_git
from config.json_file import DamagedFileError, read_json_file
from config.names import GUARD_REGION, StageNames
from config.region import environment_region
from config.settings import ConfigurationError, StageSettings, read_settings
from imagecheck.errors import FailedError
from imagecheck.image.aws import aws_client, aws_errors


class Revision(NamedTuple):
    """A state of the work tree."""

    commit: str
    """40 hexadecimal digits."""
    dirty: bool
    """Whether a file other than the lock file, which `pin` writes, differs from that commit."""


@dataclass(frozen=True)
class Stage:
    """A stage of the project."""

    names: StageNames
    settings: StageSettings
    _clients: dict[tuple[str, str], Any] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def name(self) -> str:
        """The name in ``cdk.json``."""
        return self.names.stage

    @cached_property
    def known_region(self) -> str | None:
        """The Region: of the settings, else of the environment; None where neither has one.

        Raises as ``environment_region`` does.
        """
        return self.settings.region or environment_region()

    @property
    def region(self) -> str:
        """The Region. Raises ConfigurationError where none is known."""
        if self.known_region is None:
            raise ConfigurationError(
                f"no Region is known for {self.name}: neither cdk.json nor the environment has one",
                hint="for this shell: export AWS_REGION=ap-northeast-1, or another one\n"
                f'for the stage: "region": "ap-northeast-1" in context.stages.{self.name} of'
                " cdk.json",
            )
        return self.known_region

    @property
    def regions(self) -> list[str]:
        """The Regions of its stacks, its own first. Raises ConfigurationError as ``region``."""
        guard = [GUARD_REGION] if self.settings.has_guard else []
        return list(dict.fromkeys([self.region, *guard]))

    @property
    def local_region(self) -> str:
        """The Region to tell what runs on this machine; where none is known, any will do."""
        return self.known_region or "us-east-1"

    @cached_property
    def account(self) -> str:
        """The account of the AWS credentials, as STS in the stage's Region says it: 12 digits.

        It needs no permission, and is asked once:
        https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html

        Raises:
            ConfigurationError: no Region is known.
            AwsError: there are no valid credentials, or no such Region, or AWS cannot be reached.

        """
        with aws_errors(f"{self.name}, Region {self.region}"):
            return str(self.client("sts").get_caller_identity()["Account"])

    @property
    def place(self) -> str:
        """Where commands look for the stage, and deploy it. Raises as ``account`` does."""
        return f"account {self.account}, Region {self.region}"

    @property
    def elsewhere(self) -> str:
        """How to look for the stage in another account or Region, for a hint."""
        region = (
            f'"region" in context.stages.{self.name} of cdk.json'
            if self.settings.region
            else "AWS_REGION"
        )
        return f"if it is elsewhere: {region} names the Region, and AWS_PROFILE the account"

    def client(self, service: str, region: str | None = None) -> Any:
        """Return the boto3 client of a service in a Region, without one the stage's: one for each.

        Raises ConfigurationError where no Region is known, AwsError when boto3 cannot be set up.
        """
        where = service, region or self.region
        if where not in self._clients:
            self._clients[where] = aws_client(*where)
        return self._clients[where]


@dataclass(frozen=True)
class Project:
    """A checkout of this repository.

    ``root`` is absolute; ``context`` is that of ``cdk.json``.
    """

    root: Path
    context: dict[str, Any]

    @property
    def lock(self) -> Path:
        """The path of the image lock."""
        return self.root.joinpath(self.context["imageLock"])

    @property
    def packaging(self) -> str:
        """How functions are packaged by default: ``image`` or ``zip``."""
        return str(self.context.get("packaging", "image"))

    def stage(self, name: str) -> Stage:
        """Return a stage. Raises ConfigurationError when there is none of that name."""
        settings = read_settings(self.context["stages"], name)
        return Stage(StageNames(name, settings.table), settings)

    def revision(self) -> Revision:
        """Ask git. Raises FailedError where this is not a checkout, or git is not installed."""
        commit = self._git("rev-parse", "HEAD").strip()
        return Revision(commit, bool(self.changed_files()))

    def changed_files(self) -> list[str]:
        """Return the files other than the lock file that differ from the last commit.

        Raises as ``revision`` does.
        """
        lock = self.lock.relative_to(self.root)
        # What a killed command has left, as this version and those before name it, is no change.
        others = (lock.as_posix(), lock.with_suffix(".tmp").as_posix())
        excluded = [
            *(f":(exclude,top,literal){name}" for name in others),
            ":(exclude,glob)**/.*.tmp",
        ]
        changed = self._git("status", "--porcelain", "--", ".", *excluded)
        return [line[3:] for line in changed.splitlines()]

    def files(self, folder: str) -> list[str]:
        """Return the files in a folder that are tracked or not ignored, sorted.

        Paths are relative to the project, with slashes. Raises as ``revision`` does.
        """
        listed = self._git("ls-files", "-z", "-co", "--exclude-standard", "--", folder)
        return sorted({name for name in listed.split("\0") if name})

    def is_same_since(self, commit: str, folder: str) -> bool:
        """Whether a folder is now as it was in a commit; False where git has no such commit."""
        return run_git(self.root, "diff", "--quiet", commit, "--", folder).returncode == 0

    def committed_lock(self) -> bytes | None:
        """Return the lock file as the last commit has it; None where it has none."""
        lock = self.lock.relative_to(self.root).as_posix()
        found = run_git(self.root, "show", f"HEAD:./{lock}")
        return found.stdout if found.returncode == 0 else None

    def _git(self, *arguments: str) -> str:
        done = run_git(self.root, *arguments)
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            reason = said[0] if said else f"it ended with status {done.returncode}"
            raise FailedError(
                f"git cannot tell which commit this is: {reason}", hint=f"git -C {self.root} status"
            )
        return done.stdout.decode("utf-8", "surrogateescape")


class _CdkJson(msgspec.Struct, frozen=True):
    context: dict[str, Any]


class _Context(msgspec.Struct, frozen=True, rename="camel"):
    """What there has to be in it."""

    stages: dict[str, Any]
    image_lock: str


def project_here() -> Project:
    """Return the project in the current folder.

    Raises FailedError when there is none, ConfigurationError when its ``cdk.json`` is damaged.
    """
    root = Path.cwd()
    path = root / "cdk.json"
    try:
        document = read_json_file(path, _CdkJson)
        msgspec.convert(document.context, _Context)
    except FileNotFoundError as error:
        raise FailedError(
            "there is no cdk.json in this folder", hint="run this in the root of the checkout"
        ) from error
    except (DamagedFileError, msgspec.ValidationError) as error:
        raise ConfigurationError(
            f"{path} is not the cdk.json of this project: {error}",
            hint="as the last commit has it: git checkout HEAD -- cdk.json",
        ) from error
    return Project(root, document.context)


def now() -> str:
    """Return the time in ISO 8601, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
