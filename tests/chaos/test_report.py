"""The page gets the figures between its marks, and a picture that every browser draws."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from chaos.checker import Allowance
from chaos.faults import FAULTS, NO_FAULT
from chaos.figures import FaultFigures, Figures
from chaos.report import BEGIN, END, PICTURE, REPORT, write_report
from tests.support.cdk_context import ROOT


@pytest.fixture
def figures() -> Figures:
    found = Figures(seed=7, faults=[fault.name for fault in FAULTS], operations=50_123)
    for number, fault in enumerate((NO_FAULT, *FAULTS)):
        one = FaultFigures(requests=number, longest_s=number / 20)
        one.outcomes.update({"done": 90, "503": number})
        found.by_fault[fault.name] = one
    found.allowed[Allowance.LATER_VIEW.value] = 41
    return found


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / PICTURE).parent.mkdir(parents=True)
    (tmp_path / REPORT).write_text(f"# Before\n{BEGIN}old\n{END}After.\n")
    return tmp_path


def test_the_figures_take_the_place_of_the_last_ones(figures: Figures, root: Path) -> None:
    write_report(figures, root)
    text = (root / REPORT).read_text(encoding="utf-8")

    assert text.startswith("# Before\n")
    assert text.endswith("After.\n")
    assert "old" not in text
    assert "| operations, each judged | 50,123 |" in text
    assert f"| 41 rooms | {Allowance.LATER_VIEW.value} |" in text
    assert "| lost-answer | The request is carried out, and its answer is lost. | 92 |" in text


@pytest.mark.proof
def test_a_second_trial_writes_the_same_page(figures: Figures, root: Path) -> None:
    write_report(figures, root)
    once = (root / REPORT).read_text(encoding="utf-8")
    write_report(figures, root)

    assert (root / REPORT).read_text(encoding="utf-8") == once


@pytest.mark.proof
def test_the_picture_has_a_row_for_each_kind_and_the_promise(figures: Figures, root: Path) -> None:
    write_report(figures, root)
    picture = ElementTree.parse(root / PICTURE).getroot()
    words = [element.text or "" for element in picture.iter() if element.tag.endswith("text")]

    assert {fault.name for fault in FAULTS} <= set(words)
    assert any(word.startswith("promised:") for word in words)
    assert len((root / PICTURE).read_bytes()) < 60_000


def test_the_committed_page_is_of_a_whole_trial_of_this_table() -> None:
    text = (ROOT / REPORT).read_text(encoding="utf-8")

    assert "| **violations of the contract** | **0** |" in text
    for fault in FAULTS:
        assert f"| {fault.name} | {fault.what} |" in text
    assert (ROOT / PICTURE).exists()
