"""Fixtures that the tests of all rules share."""

from collections.abc import Callable
from pathlib import Path

import pytest

from imagecheck.image.layer_cache import LayerCache
from tests.support.imagecheck.cases import Case, check_case, findings_of

Finds = Callable[[Case], None]
"""Checks the image of a case and asserts that exactly this is found."""


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> LayerCache:
    return LayerCache(tmp_path_factory.mktemp("layers"))


@pytest.fixture
def finds(tmp_path: Path, cache: LayerCache) -> Finds:
    def check(case: Case) -> None:
        report = check_case(case, case.write(tmp_path), cache)

        assert findings_of(report) == case.findings, report.findings
        errors = [finding for finding in report.findings if finding.severity == "error"]
        if case.error_type:
            assert errors[0].error_type == case.error_type

    return check
