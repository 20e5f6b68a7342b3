"""The broken releases of the incident, against the names that their causes have today."""

import re

import pytest

from demo.incident.broken import BROKEN_RELEASES, BrokenRelease
from imagecheck.rules import RULES
from tests.support.cdk_context import ROOT

_DIAGNOSIS = "\n".join(
    path.read_text(encoding="utf-8") for path in (ROOT / "release/diagnosis").rglob("*.py")
)


@pytest.mark.parametrize("broken", BROKEN_RELEASES, ids=lambda broken: broken.title)
def test_its_cause_is_the_title_of_a_rule_or_of_diagnose(broken: BrokenRelease) -> None:
    # What comes after a colon is an error of Python's.
    cause = broken.cause.partition(":")[0]
    texts = [*(rule.title for rule in RULES), _DIAGNOSIS]
    assert any(re.search(cause, text, re.IGNORECASE) for text in texts), cause


@pytest.mark.parametrize("broken", BROKEN_RELEASES, ids=lambda broken: broken.title)
def test_the_rule_that_stops_it_is_there(broken: BrokenRelease) -> None:
    if pattern := broken.stops.get("check"):
        assert any(re.search(pattern, f"✗ {rule.id} ") for rule in RULES)
