"""The rules, as the command line prints them."""

import textwrap
from collections.abc import Iterator
from itertools import groupby

from imagecheck import HOME_URL
from imagecheck.ignore import known_rule
from imagecheck.rule import SECTIONS, Rule
from imagecheck.rules import BY_ID


def url_of(rule_id: str) -> str:
    """Return where the catalogue has the rule."""
    return f"{HOME_URL}/blob/main/docs/rules.md#{rule_id.lower()}"


def catalogue() -> str:
    """Return all rules, a line each, by section."""
    return "\n".join(_catalogue())


def explained(rule_id: str) -> str:
    """Return all that a rule says. Raises UnknownRuleError."""
    return "\n".join(_explained(BY_ID[known_rule(rule_id)]))


def _catalogue() -> Iterator[str]:
    for letter, rules in groupby(BY_ID.values(), key=lambda rule: rule.id[0]):
        yield f"{letter}  {SECTIONS[letter]}"
        yield from (f"  {rule.id:<4} {rule.severity:<8} {rule.title}" for rule in rules)


def _explained(rule: Rule) -> Iterator[str]:
    yield f"{rule.id}  {rule.title} ({rule.severity})"
    yield ""
    yield f"On Lambda: {rule.error_type + ', ' if rule.error_type else ''}{rule.when}"
    for text in (rule.why, f"Fix: {rule.fix}"):
        yield ""
        yield from textwrap.wrap(text, width=100)
    for name, example in (("Bad", rule.bad), ("Good", rule.good)):
        yield ""
        yield f"{name}:"
        yield textwrap.indent(example.rstrip("\n"), "    ")
    yield ""
    yield f"Source: {rule.source}"
    yield f"More: {url_of(rule.id)}"
