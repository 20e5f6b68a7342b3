"""Every link between the documents leads somewhere."""

import pytest

from tests.support.cdk_context import ROOT
from tests.support.documents import (
    REPOSITORY,
    Document,
    anchors,
    document,
    documents,
    folders,
    resolve,
    tracked,
)

BLOB = f"{REPOSITORY}blob/main/"


def broken(page: Document) -> list[str]:
    """The links of a page that lead to no tracked file, or to no heading of it."""
    return [link for link in page.links() if not leads_somewhere(page, link)]


def leads_somewhere(page: Document, link: str) -> bool:
    if link.startswith(BLOB):
        target, anchor = resolve("README.md", link.removeprefix(BLOB))
    elif "://" in link or link.startswith("mailto:"):
        return True
    else:
        target, anchor = resolve(page.name, link)
    if not target.is_relative_to(ROOT):
        # ../../issues and its like are pages of the repository on GitHub.
        return link.startswith("../../")
    name = str(target.relative_to(ROOT))
    if name not in tracked() and name not in folders():
        return False
    return not anchor or (name.endswith(".md") and anchor in document(name).anchors)


@pytest.mark.parametrize("page", documents(), ids=lambda page: page.name)
def test_every_link_and_anchor_resolves(page: Document) -> None:
    assert broken(page) == []


@pytest.mark.parametrize(
    "link",
    ["docs/no-such.md", "#no-such-heading", "docs/runbook.md#no-such", f"{BLOB}docs/no-such.md"],
)
def test_a_link_that_leads_nowhere_is_found(link: str) -> None:
    assert broken(Document("README.md", f"# Title\n\n[text]({link})\n")) == [link]


def test_a_link_in_html_is_a_link() -> None:
    page = Document("README.md", '<p><a href="docs/no.md"><img src="docs/no.svg"></a></p>\n')

    assert broken(page) == ["docs/no.md", "docs/no.svg"]


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("version-errors-N, version-5xx-N", "version-errors-n-version-5xx-n"),
        ("`Runtime.InvalidEntrypoint`", "runtimeinvalidentrypoint"),
        ("動かす、テストする", "動かすテストする"),
        ("ルートを変える（API）", "ルートを変えるapi"),
        ("From image to zip, and back", "from-image-to-zip-and-back"),
        ("A_b  c", "a_b--c"),
    ],
)
def test_anchors_are_those_that_github_makes(heading: str, anchor: str) -> None:
    assert list(anchors(iter([heading.replace("`", "")]))) == [anchor]


def test_a_heading_that_comes_again_is_numbered() -> None:
    assert list(anchors(iter(["One", "One", "Two"]))) == ["one", "one-1", "two"]
