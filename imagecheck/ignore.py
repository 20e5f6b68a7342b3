"""Ignored findings, each with the reason that a person gave."""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from imagecheck.errors import UsageError
from imagecheck.finding import Finding
from imagecheck.image.errors import ImageReadError
from imagecheck.rules import BY_ID

_MAX_NEAR = 5


class UnknownRuleError(UsageError):
    """No rule has that id; the hint names those with similar ids."""


@dataclass(frozen=True, kw_only=True)
class Ignore:
    """What is ignored. An empty pattern fits everything."""

    rule: str
    reason: str = ""
    image: str = ""
    """A pattern of the image's name, such as ``docker://*/rooms@*``."""
    found: str = ""
    """A pattern of what was found, such as ``*/node_modules/bcrypt/*``."""

    def covers(self, finding: Finding, image: str) -> bool:
        """Whether a finding of the image so named is meant."""
        return (
            finding.rule == self.rule
            and (not self.image or fnmatchcase(image, self.image))
            and (not self.found or fnmatchcase(finding.found, self.found))
        )


@dataclass(frozen=True)
class Ignored:
    """A finding that was ignored, and why."""

    finding: Finding
    reason: str


def split_ignored(
    findings: Iterable[Finding], ignores: Iterable[Ignore], image: str
) -> tuple[list[Finding], list[Ignored]]:
    """Take from the findings those that are ignored."""
    kept, ignored = [], []
    known = tuple(ignores)
    for finding in findings:
        by = next((ignore for ignore in known if ignore.covers(finding, image)), None)
        if by is None:
            kept.append(finding)
        else:
            ignored.append(Ignored(finding, by.reason))
    return kept, ignored


def parse_ignore(text: str) -> Ignore:
    """Read ``RULE`` or ``RULE=REASON``. Raises UnknownRuleError."""
    rule, _, reason = text.partition("=")
    return Ignore(rule=known_rule(rule.strip()), reason=reason.strip())


def read_ignore_file(path: Path) -> tuple[Ignore, ...]:
    """Read a file with one ``RULE=REASON`` a line; ``#`` begins a comment.

    Raises ImageReadError when it cannot be read, and UnknownRuleError.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise ImageReadError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ImageReadError(f"{path} is not text in UTF-8") from error
    found = []
    for number, line in enumerate(lines, start=1):
        if text := line.split("#", 1)[0].strip():
            try:
                found.append(parse_ignore(text))
            except UnknownRuleError as error:
                raise UnknownRuleError(
                    f"{path}, line {number}: {error}", hint=error.hint
                ) from error
    return tuple(found)


def known_rule(text: str) -> str:
    """Return the id as the rules have it. Raises UnknownRuleError."""
    rule = text.upper()
    if rule in BY_ID:
        return rule
    near = _near(rule)
    meant = f"did you mean {' or '.join(near)}? " if near else ""
    raise UnknownRuleError(
        f"unknown rule {text!r}", hint=f"{meant}`lambda-image-check --list-rules` prints all rules"
    )


def _near(rule: str) -> list[str]:
    """Ids that somebody may have meant: of that spelling, or of that letter."""
    padded = re.fullmatch(r"([A-Z])0+(\d+)", rule)
    meant = [padded[1] + padded[2]] if padded and padded[1] + padded[2] in BY_ID else []
    close = difflib.get_close_matches(rule, BY_ID, n=_MAX_NEAR, cutoff=0.5)
    return list(dict.fromkeys([*meant, *close]))[:_MAX_NEAR]
