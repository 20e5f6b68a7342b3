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


def blocks() -> dict[str, str]:
    """What `make bench` has written into the two pages, by the name of the block."""
    pages = "".join((ROOT / page).read_text(encoding="utf-8") for page in (BENCHMARKS, SCALE))
    return dict(
        re.findall(
            r"<!-- (.+): written by `make bench`; do not edit it here. -->\n(.*?)"
            r"<!-- The end of \1. -->\n",
            pages,
            re.DOTALL,
        )
    )


@pytest.mark.parametrize("name", blocks())
def test_each_block_of_the_pages_is_written(name: str) -> None:
    assert len(blocks()[name].split()) > 10


@pytest.mark.parametrize("part", command._PARTS.keys() - {"scale"})
def test_each_part_but_the_page_of_its_own_has_a_block_of_its_name(part: str) -> None:
    assert part in blocks()
