"""Prediction against experience: what check says of a start is what then happens.

Each image of the corpus whose point is the start is really started, as Lambda's user, read-only,
under the Runtime API. The kernel, a real CPython and AWS's runtime client have the last word.
"""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from imagecheck.image.layer_cache import LayerCache
from tests.support.imagecheck.cases import Case, check_case
from tests.support.imagecheck.corpus import CASES
from tests.support.imagecheck.prediction import Outcome, experience, prediction

pytestmark = pytest.mark.proof

THREADS = 2
_one_at_a_time = threading.Lock()
_BAD = [case for case in CASES if not case.is_good]
GROUPS = {
    "good": [case for case in CASES if case.is_good],
    "process": [case for case in _BAD if case.name[0] in "df"],
    "handler": [case for case in _BAD if case.name[0] == "e"],
    "entrypoint": [case for case in _BAD if case.name[0] in "abcgh"],
}


@dataclass(frozen=True)
class Comparison:
    case: Case
    predicted: Outcome
    happened: Outcome

    @property
    def agrees(self) -> bool:
        return self.predicted.agrees_with(self.happened)

    def __str__(self) -> str:
        rules = " ".join(self.case.findings) or "-"
        mark = "   " if self.agrees else "NOT"
        return f"{self.case.name:43} {rules:6} {self.predicted!s:42} {mark} {self.happened}"


@pytest.mark.parametrize("group", GROUPS)
def test_what_is_predicted_is_what_happens(group: str, tmp_path: Path) -> None:
    cases = [case for case in GROUPS[group] if case.is_started]
    cache = LayerCache(tmp_path / "layers")

    with ThreadPoolExecutor(THREADS) as threads:
        compared = list(threads.map(lambda case: compare(case, cache), cases))

    title = f"{'image':43} {'rule':6} {'predicted':42}     happened"
    sys.stdout.write("\n".join(["", title, *map(str, compared), ""]))
    assert compared
    assert [str(comparison) for comparison in compared if not comparison.agrees] == []


def compare(case: Case, cache: LayerCache) -> Comparison:
    with TemporaryDirectory(prefix="case-") as folder:
        with _one_at_a_time:
            written = case.write(Path(folder))
            predicted = prediction(check_case(case, written, cache))
        return Comparison(case, predicted, experience(case, written))
