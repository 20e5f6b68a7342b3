"""The corpus: the images of all rules' tests, and good ones."""

from importlib import import_module
from pathlib import Path
from typing import Final

from tests.support.imagecheck.cases import Case
from tests.support.imagecheck.good_images import GOOD


def _cases_of_rules() -> tuple[Case, ...]:
    tests = sorted((Path(__file__).parents[2] / "imagecheck" / "rules").glob("test_*.py"))
    modules = (import_module(f"tests.imagecheck.rules.{test.stem}") for test in tests)
    return tuple(case for module in modules for case in module.CASES)


CASES: Final = (*GOOD, *_cases_of_rules())
BY_NAME: Final = {case.name: case for case in CASES}
