"""The corpus covers every rule, and good images of many kinds."""

import re
from pathlib import Path

import pytest

from imagecheck.image.layer_cache import LayerCache
from imagecheck.rules import RULES
from tests.support.imagecheck.cases import Case, check_case, findings_of
from tests.support.imagecheck.corpus import CASES
from tests.support.imagecheck.good_images import GOOD


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> LayerCache:
    return LayerCache(tmp_path_factory.mktemp("layers"))


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.name)
def test_a_good_image_has_no_finding(case: Case, tmp_path: Path, cache: LayerCache) -> None:
    report = check_case(case, case.write(tmp_path), cache)

    assert findings_of(report) == {}, report.findings


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_has_an_image_that_shows_it(rule: object) -> None:
    assert any(getattr(rule, "id", "") in case.findings for case in CASES)


def test_no_two_cases_have_the_same_name() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


def test_the_name_of_a_case_begins_with_its_rule() -> None:
    """The groups in test_prediction.py go by these names: another name would never be started."""
    for case in CASES:
        if case.is_good:
            continue
        assert re.match(r"[a-h]\d+-", case.name), f"{case.name}: begin with the rule's id, as c8-"


def test_every_kind_of_failure_of_a_start_is_started() -> None:
    started = {rule for case in CASES if case.is_started for rule in case.findings}
    start_rules = {rule for case in CASES for rule in case.findings if rule[0] in "CDEF"}

    # What CloudFormation makes of C5, nothing here can show; npm (D3) is not installed in an image,
    # and what F3 warns of is a process that runs and never asks.
    assert start_rules - started == {"C5", "D3", "F3"}, (
        "a rule of sections C to F has a case with is_started=True, which `make proofs` starts"
    )
