"""Every image of the corpus gets exactly the findings that it was made for."""

from pathlib import Path

import pytest

from imagecheck.image.layer_cache import LayerCache
from imagecheck.rules import BY_ID
from tests.imagecheck.corpus import CASES, GOOD, Case, check_case, findings_of

# What is the registry's alone to know is judged from what a Repository says of it.


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> LayerCache:
    return LayerCache(tmp_path_factory.mktemp("layers"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_exactly_this_is_found(case: Case, tmp_path: Path, cache: LayerCache) -> None:
    report = check_case(case, case.write(tmp_path), cache)

    assert findings_of(report) == case.findings, report.findings
    errors = [finding for finding in report.findings if finding.severity == "error"]
    if case.error_type:
        assert errors[0].error_type == case.error_type


def test_every_row_has_an_image_that_shows_it() -> None:
    shown = {rule for case in CASES for rule in case.findings}

    assert shown == set(BY_ID)


def test_there_are_good_images_of_many_kinds() -> None:
    assert len(GOOD) >= 10
    assert all(case.is_good for case in GOOD)


def test_no_two_cases_have_the_same_name() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
