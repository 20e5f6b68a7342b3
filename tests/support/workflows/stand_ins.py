"""Stand-ins for GitHub's checkout, artifacts and tokens, and for the roles that AWS gives."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from local.cloud import Cloud
from local.emulated_aws.server import ACCOUNT_ID
from tests.support.cdk_context import ROOT
from tests.support.policy_evaluator import assumable
from tests.support.release.github_server import REPOSITORY, TOKEN, GithubServer
from tests.support.workflows.runner import Event, Job, StandInError

OWNER_ID: Final = "1001"
REPOSITORY_ID: Final = "2002"
_CREDENTIALS: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@dataclass
class Github:
    """GitHub's side of a workflow, over a repository in ``origin`` and an emulated account.

    ``of_environments`` has the variables of each environment, ``of_repository`` those of all.
    """

    origin: Path
    artifacts: Path
    cloud: Cloud
    server: GithubServer
    of_repository: Mapping[str, str]
    of_environments: Mapping[str, Mapping[str, str]]
    refused: list[str] = field(default_factory=list)
    """The roles that a job asked for and did not get."""

    def start(self) -> None:
        """Begin another run: artifacts are of one run alone."""
        shutil.rmtree(self.artifacts, ignore_errors=True)
        self.artifacts.mkdir()

    def artifacts_of_run(self) -> list[str]:
        """Return the names of what the last run has uploaded."""
        return sorted(path.name for path in self.artifacts.iterdir())

    def action(self, name: str, arguments: Mapping[str, str], job: Job) -> None:
        """Do what an action does."""
        match name:
            case "actions/checkout":
                self._checkout(arguments, job)
            case "actions/upload-artifact":
                self._upload(arguments, job)
            case "actions/download-artifact":
                self._download(arguments, job)
            case "aws-actions/configure-aws-credentials":
                self._assume_role(arguments, job)
            case _:
                raise AssertionError(f"nothing stands in for {name}")

    def line(self, line: str, job: Job) -> bool:
        """Link what is installed here instead of installing it, and do not test in a test."""
        if line == "make setup":
            for name in (".venv", "node_modules"):
                (job.workspace / name).symlink_to(ROOT / name)
        elif not line.startswith("sudo make ") and line != "make test":
            return False
        return True

    def variables(self, environment: str | None) -> Mapping[str, str]:
        """Return ``vars``."""
        return {**self.of_repository, **self.of_environments.get(environment or "", {})}

    def token(self, job: Job) -> str:
        """Let the server know what this job may."""
        self.server.permissions = {
            name for name, access in job.permissions.items() if access == "write"
        }
        return TOKEN

    def process_environment(self, job: Job) -> Mapping[str, str]:
        """Return what a runner has: no credentials, whoever has some here."""
        known = {
            name: value
            for name, value in self.cloud.environment.items()
            if name not in _CREDENTIALS
        }
        return {
            **known,
            "PATH": os.environ["PATH"],
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": self.server.url,
            "GITHUB_REPOSITORY": REPOSITORY,
            "XDG_CACHE_HOME": str(job.temporary / "cache"),
        }

    def _checkout(self, arguments: Mapping[str, str], job: Job) -> None:
        if arguments.get("persist-credentials") != "false":
            raise StandInError("the token would stay in the checkout")
        ref = arguments.get("ref", job.event.sha)
        if _is_of_a_fork(ref, job.event) and arguments.get("allow-unsafe-pr-checkout") != "true":
            raise StandInError("refusing to check out the code of a fork")
        place = job.workspace / arguments.get("path", "")
        new = place.with_name(f"{place.name}.new")
        _git("clone", "--quiet", "--no-checkout", str(self.origin), str(new), folder=self.origin)
        (new / ".git").rename(place / ".git") if place == job.workspace else new.rename(place)
        if place == job.workspace:
            new.rmdir()
        _git("fetch", "--quiet", "origin", ref, folder=place)
        if patterns := arguments.get("sparse-checkout"):
            cone = arguments.get("sparse-checkout-cone-mode", "true") == "true"
            mode = "--cone" if cone else "--no-cone"
            _git("sparse-checkout", "set", mode, *patterns.split(), folder=place)
        _git("checkout", "--quiet", "FETCH_HEAD", folder=place)
        (place / ".git/info/exclude").write_text(".venv\nnode_modules\n")

    def _upload(self, arguments: Mapping[str, str], job: Job) -> None:
        target = self.artifacts / arguments["name"]
        named = [job.workspace / line for line in arguments["path"].splitlines()]
        sources = [source for source in named if _shown(source)]
        if not sources:
            if arguments.get("if-no-files-found") == "error":
                raise StandInError(f"there are no files in {arguments['path']}")
            return
        if target.exists():
            if arguments.get("overwrite") != "true":
                raise StandInError(f"there is an artifact {arguments['name']} already")
            shutil.rmtree(target)
        # Of several paths, what they have in common is the artifact's top:
        # https://github.com/actions/upload-artifact#upload-using-multiple-paths-and-exclusions
        is_folder = len(named) == 1 and named[0].is_dir()
        top = named[0] if is_folder else Path(os.path.commonpath([one.parent for one in named]))
        for source in sources:
            place = target / source.relative_to(top)
            place.parent.mkdir(parents=True, exist_ok=True)
            if source.is_file():
                shutil.copyfile(source, place)
            else:
                # https://github.com/actions/upload-artifact#uploading-hidden-files
                shutil.copytree(source, place, ignore=shutil.ignore_patterns(".*"))

    def _download(self, arguments: Mapping[str, str], job: Job) -> None:
        target = job.workspace / arguments.get("path", "")
        name = arguments.get("name")
        if name and not (self.artifacts / name).exists():
            raise StandInError(f"there is no artifact {name}")
        for source in self.artifacts.glob(name or arguments["pattern"]):
            # Of modes nothing is kept: https://github.com/actions/upload-artifact#permission-loss
            together = name or arguments.get("merge-multiple") == "true"
            shutil.copytree(
                source,
                target if together else target / source.name,
                dirs_exist_ok=True,
                copy_function=shutil.copyfile,
            )

    def _assume_role(self, arguments: Mapping[str, str], job: Job) -> None:
        role = arguments["role-to-assume"]
        if job.permissions.get("id-token") != "write":
            raise StandInError("the job may not ask for a token: id-token: write")
        if not role:
            raise StandInError("there is no role to assume")
        iam = self.cloud.client("iam")
        trust = iam.get_role(RoleName=role.rpartition("/")[2])["Role"]["AssumeRolePolicyDocument"]
        if not assumable(trust, role_arn=role, account=ACCOUNT_ID, claims=claims(job)):
            self.refused.append(role)
            raise StandInError(f"not authorized to assume {role}")
        # Whether the token is good for it has been seen; what comes out is the same.
        answer = self.cloud.client("sts").assume_role(
            RoleArn=role, RoleSessionName="GitHubActions"
        )["Credentials"]
        job.exported |= {
            "AWS_ACCESS_KEY_ID": answer["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": answer["SecretAccessKey"],
            "AWS_SESSION_TOKEN": answer["SessionToken"],
            "AWS_REGION": arguments["aws-region"],
        }


def claims(job: Job) -> dict[str, str]:
    """Return what GitHub's token says of a job, as far as AWS compares it.

    https://docs.github.com/en/actions/reference/security/oidc
    """
    owner, _, name = REPOSITORY.partition("/")
    if job.environment:
        about = f"environment:{job.environment}"
    elif job.event.name == "pull_request":
        about = "pull_request"
    else:
        about = f"ref:{job.event.ref}"
    said: dict[str, Any] = {
        "sub": f"repo:{owner}@{OWNER_ID}/{name}@{REPOSITORY_ID}:{about}",
        "aud": "sts.amazonaws.com",
        "ref": job.event.ref,
        "repository": REPOSITORY,
        "repository_id": REPOSITORY_ID,
        **({"environment": job.environment} if job.environment else {}),
    }
    return said


def _is_of_a_fork(ref: str, event: Event) -> bool:
    """Whether checkout refuses a ref, since what is in it could be run with the job's rights.

    https://github.com/actions/checkout: ``allow-unsafe-pr-checkout``
    """
    if event.name != "pull_request_target":
        return False
    head = event.payload["pull_request"]["head"]
    theirs = ref == head["sha"] or ref.startswith("refs/pull/")
    return theirs and head["repo"]["full_name"] != REPOSITORY


def _shown(source: Path) -> bool:
    """Whether there is a file that is not hidden: it, or one in it."""
    if not source.is_dir():
        return source.is_file() and not source.name.startswith(".")
    return any(_shown(inner) for inner in source.iterdir() if not inner.name.startswith("."))


def _git(*arguments: str, folder: Path) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)
