"""The corpus covers every rule, and good images of many kinds."""

from pathlib import Path

import pytest

from imagecheck.image.layer_cache import LayerCache
from imagecheck.rules import RULES
from tests.imagecheck.cases import Case, check_case, findings_of
from tests.imagecheck.corpus import CASES
from tests.imagecheck.good_images import GOOD


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
