"""Figures are written between the marks of a page, and nowhere else."""

import re
from pathlib import Path

import pytest

import benchmarks.__main__ as command
from benchmarks.document import BENCHMARKS, PICTURES, SCALE, machine, write_block, write_picture
from tests.support.cdk_context import ROOT

PAGE = """# Page

Before.

<!-- one: written by `make bench`; do not edit it here. -->

old

<!-- The end of one. -->

Between.

<!-- two: written by `make bench`; do not edit it here. -->
<!-- The end of two. -->

After.
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "page.md").write_text(PAGE, encoding="utf-8")
    return tmp_path


def text(root: Path) -> str:
    return (root / "page.md").read_text(encoding="utf-8")


def test_a_block_is_replaced_and_the_rest_stays(root: Path) -> None:
    write_block(Path("page.md"), "one", ["| a |", "|---|"], root=root)

    assert text(root) == PAGE.replace("\nold\n", "\n| a |\n|---|\n")


def test_an_empty_block_is_filled(root: Path) -> None:
    write_block(Path("page.md"), "two", iter(["new"]), root=root)

    assert "bench`; do not edit it here. -->\n\nnew\n\n<!-- The end of two. -->\n" in text(root)
    assert "\nold\n" in text(root)


def test_the_same_figures_make_the_same_page(root: Path) -> None:
    write_block(Path("page.md"), "one", ["new"], root=root)
    once = text(root)
    write_block(Path("page.md"), "one", ["new"], root=root)

    assert text(root) == once


@pytest.mark.parametrize(
    "missing",
    [
        "<!-- one: written by `make bench`; do not edit it here. -->\n",
        "<!-- The end of one. -->\n",
    ],
    ids=["first mark", "second mark"],
)
def test_a_page_without_a_mark_is_an_error_and_stays(root: Path, missing: str) -> None:
    page = PAGE.replace(missing, "")
    (root / "page.md").write_text(page, encoding="utf-8")

    with pytest.raises(ValueError, match=r"page\.md has no block one"):
        write_block(Path("page.md"), "one", ["new"], root=root)
    assert text(root) == page


def test_marks_in_the_wrong_order_are_none(root: Path) -> None:
    begin, end = PAGE.partition("\nold\n")[0].splitlines()[-1], "<!-- The end of one. -->"
    page = f"{end}\n{begin}\n"
    (root / "page.md").write_text(page, encoding="utf-8")

    with pytest.raises(ValueError, match="no block one"):
        write_block(Path("page.md"), "one", ["new"], root=root)


def test_a_picture_is_named_as_a_page_in_docs_names_it(tmp_path: Path) -> None:
    (tmp_path / PICTURES).mkdir(parents=True)

    name = write_picture("load", "<svg/>", root=tmp_path)

    assert (tmp_path / "docs" / name).read_text(encoding="utf-8") == "<svg/>"


def test_the_machine_is_described() -> None:
    assert " cores (" in machine()


BLOCK = re.compile(
    r"<!-- ([\w -]+): written by `make bench`; do not edit it here. -->\n(.*?)(?=<!--)", re.S
)
BLOCKS = {
    name: (page, figures)
    for page in (BENCHMARKS, SCALE)
    for name, figures in BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))
}


def test_the_pages_have_a_block_of_every_part() -> None:
    # The scale has a page of its own, with a block for each question.
    parts = command._PARTS.keys() - {"scale"}

    assert parts <= {name for name, (page, _) in BLOCKS.items() if page == BENCHMARKS}
    assert {page for page, _ in BLOCKS.values()} == {BENCHMARKS, SCALE}


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_has_figures_and_an_end(name: str) -> None:
    page, figures = BLOCKS[name]

    assert figures.count("|") > 10
    assert f"{figures}<!-- The end of {name}. -->\n" in (ROOT / page).read_text(encoding="utf-8")
