"""A cause, as rules find it and people read it."""

import re
import shlex
from typing import Final, Literal

import msgspec

from release.project import Stage

Likelihood = Literal["certain", "likely", "possible"]
LIKELIHOODS: Final = ("certain", "likely", "possible")
"""The first one first."""

_SECRETS: Final = re.compile(
    r"(?i)(bearer\s+)\S+|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|(x-amz-[\w-]*(?:signature|token)[\w-]*=)[^&\s]+"
)
_MAX_TEXT: Final = 600


class Evidence(msgspec.Struct, frozen=True):
    """What was seen, and where."""

    source: str
    text: str


class Remedy(msgspec.Struct, frozen=True):
    """What mends it: a command, and what it does; or what to change in which file."""

    text: str
    command: str = ""


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """Why the function does not work, or will not for long."""

    name: str
    """For programs: lower-case words, the same for ever."""
    title: str
    likelihood: Likelihood
    evidence: tuple[Evidence, ...]
    fix: tuple[Remedy, ...]
    """In the order in which to do it."""
    error_type: str = ""
    """What Lambda calls it; empty where it has no name for it."""
    rule: str = ""
    """The rule of the catalogue (``BY_ID``), where `check` has one for it."""
    explanation: str = ""
    """What is easily mistaken about it."""


def seen(source: str, text: str) -> Evidence:
    """Make evidence of a text of somebody else's: shortened, and without what must not be shown."""
    text = _SECRETS.sub(lambda match: f"{match[1] or match[2] or ''}***", text)
    return Evidence(source, text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}…")


def roll_back(stage: Stage) -> Remedy:
    """Bring players back first."""
    return Remedy("back to the image before", release_command("rollback", stage))


def compare_with_stack(stage: Stage, what: str) -> Remedy:
    """Ask CloudFormation what was changed beside the stack."""
    command = f"npx cdk drift -c stage={stage.name} {stage.names.rooms_stack}"
    return Remedy(f"see whether {what} by hand", command)


def revert_drift(stage: Stage, stack: str) -> Remedy:
    """Undo what was done beside a stack, which CloudFormation otherwise does not look at.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/drift-aware-change-sets.html
    """
    return Remedy(
        "put back what the stack has: without this option a deployment sees no change",
        f"npx cdk deploy --revert-drift -c stage={stage.name} {stack}",
    )


def deploy_with(stage: Stage, change: str) -> Remedy:
    """Change something in the checkout, and deploy it."""
    return Remedy(f"{change}, then deploy", release_command("deploy", stage))


def release_command(command: str, stage: Stage, *options: str) -> str:
    """Return a command of ours."""
    return " ".join(("python -m release", command, stage.name, *options))


def aws_command(service: str, operation: str, stage: Stage, **options: str) -> str:
    """Return a command of the AWS CLI, in the stage's Region."""
    options = {**options, "region": stage.settings.region}
    given = (f"--{name.replace('_', '-')} {shlex.quote(value)}" for name, value in options.items())
    return " ".join(("aws", service, operation, *given))
