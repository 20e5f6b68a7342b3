"""The cause of a failure, with its evidence and its fix."""

import re
from typing import Final, Literal

import msgspec

Likelihood = Literal["certain", "likely", "possible"]
LIKELIHOODS: Final = ("certain", "likely", "possible")
"""The first one first."""

_SECRETS: Final = re.compile(
    r"(?i)(bearer\s+)\S+|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|(x-amz-[\w-]*(?:signature|token)[\w-]*=)[^&\s]+"
)
_MAX_TEXT: Final = 600
_PROPER_NAMES: Final = ("DynamoDB", "ImageConfig", "Lambda", "Windows")


class Evidence(msgspec.Struct, frozen=True, rename="camel"):
    """An observation, and its source."""

    source: str
    text: str


class Remedy(msgspec.Struct, frozen=True, rename="camel"):
    """A step of the fix: a command and what it does, or what to change in which file."""

    text: str
    command: str = ""


class FailureCause(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A reason why the function does not work, or soon will not."""

    name: str
    """For programs: lower-case words that never change."""
    title: str
    likelihood: Likelihood
    evidence: tuple[Evidence, ...]
    fix: tuple[Remedy, ...]
    """In the order in which to do it."""
    error_type: str = ""
    """Lambda's error type; empty where it has none."""
    rule: str = ""
    """The rule of the catalogue (``BY_ID``), where `check` has one for it."""
    explanation: str = ""
    """What is easily mistaken about the cause."""


def seen(source: str, text: str) -> Evidence:
    """Return a text from outside as evidence: shortened, and without secrets."""
    text = _SECRETS.sub(lambda match: f"{match[1] or match[2] or ''}***", text)
    return Evidence(source, text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}…")


def lowered(title: str) -> str:
    """Return a title as it stands behind a colon."""
    if title.startswith(_PROPER_NAMES):
        return title
    return title[:1].lower() + title[1:]


def by_likelihood(cause: FailureCause) -> int:
    """Return the sort key that puts the most likely cause first."""
    return LIKELIHOODS.index(cause.likelihood)
