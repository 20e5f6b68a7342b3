"""Writes docs/rules.md, the catalogue of rules: ``python -m tools.rules``."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from imagecheck.rule import SECTIONS, Rule
from imagecheck.rules import BY_ID

PATH = Path(__file__).parents[1] / "docs" / "rules.md"

_HEAD = """\
# The rules of lambda-image-check

Written by `make rules` from the files in `imagecheck/rules/`; do not edit it here.
[lambda-image-check.md](lambda-image-check.md) says how a check is run and how a finding is ignored.
An *error* stops the image, or the next deployment of it. A *warning* may.
"""


def render() -> str:
    """Return the catalogue."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield _HEAD
    for letter, rules in _sections():
        yield f"**{letter}: {SECTIONS[letter]}**"
        yield ""
        yield "| rule | | severity | on Lambda |"
        yield "|---|---|---|---|"
        yield from (_row(rule) for rule in rules)
        yield ""
    for letter, rules in _sections():
        yield f"## {letter}: {SECTIONS[letter]}"
        yield ""
        for rule in rules:
            yield from _chapter(rule)


def _sections() -> Iterator[tuple[str, list[Rule]]]:
    for letter, rules in groupby(BY_ID.values(), key=lambda rule: rule.id[0]):
        yield letter, list(rules)


def _row(rule: Rule) -> str:
    error_type = f"`{rule.error_type}`" if rule.error_type else ""
    return f"| [{rule.id}](#{rule.id.lower()}) | {rule.title} | {rule.severity} | {error_type} |"


def _chapter(rule: Rule) -> Iterator[str]:
    # The heading is the id alone, so that its anchor is, too.
    yield f"### {rule.id}"
    yield ""
    yield f"**{rule.title}**"
    yield ""
    shown = f"`{rule.error_type}`, {rule.when}" if rule.error_type else rule.when
    yield f"*{rule.severity}*. On Lambda: {shown}."
    yield ""
    yield rule.why
    yield ""
    yield f"**Fix:** {rule.fix}"
    yield ""
    for name, example in (("Bad", rule.bad), ("Good", rule.good)):
        yield f"{name}:"
        yield ""
        yield "```text"
        yield example.rstrip("\n")
        yield "```"
        yield ""
    yield f"Source: <{rule.source}>"
    yield ""


if __name__ == "__main__":
    PATH.write_text(render(), encoding="utf-8")
