"""Quotations in the documents are what the commands print today.

Where a quotation can be produced in a moment, a test does so: tests/docs/test_lambda_image_check.py
and tests/tools/test_terminal_picture.py. Those here come from a deployed stage; that the commands
say them there is tested in tests/release.
"""

import re
from collections.abc import Iterator

import pytest

from tests.support.documents import document
from tests.support.wording import wording

PAGES = ("docs/runbook.md", "docs/restore.md", "docs/pipeline.md", "docs/incident.md")
COMMANDS = re.compile(
    r"\$ |#!|(git|npx|aws|npm|docker|make|gh|pip|python|uvx|lambda-image-check|sudo|chmod|release"
    r"|check|podman|skopeo|export|deploy|rollback|smoke|push|pin|build|FROM|COPY|RUN|CMD|ADD|WORKDIR)\b"
)
OF_OTHERS = (
    # AWS CodeDeploy
    "One or more alarms have been activated according to the Amazon CloudWatch metrics you"
    " selected, and the affected deployments have been stopped.",
)


def quoted(name: str) -> Iterator[str]:
    """The lines of outputs, and code spans that are sentences."""
    page = document(name)
    for block in page.blocks("text"):
        yield from block.splitlines()
    for token in page.tokens:
        for child in token.children or []:
            if child.type == "code_inline" and len(re.findall(r"[^\W\d_]{2,}", child.content)) > 3:
                yield child.content


@pytest.mark.parametrize("name", PAGES)
def test_every_sentence_is_one_of_the_sources(name: str) -> None:
    wrong = {}
    for line in quoted(name):
        said = line.strip()
        for other in OF_OTHERS:
            said = said.replace(other, "…")
        if not COMMANDS.match(said):
            wrong[line] = list(wording().lacks(said))

    assert {line: missing for line, missing in wrong.items() if missing} == {}


@pytest.mark.proof
@pytest.mark.parametrize(
    "sentence",
    [
        "dev: nothing that can be seen here prevents it",
        "deploying dev: has not gone well, after 0.0 s",
        "error: no picture is pinned for dev",
    ],
)
def test_a_sentence_that_no_command_says_is_found(sentence: str) -> None:
    assert list(wording().lacks(sentence))


def test_what_is_filled_in_may_be_anything() -> None:
    sentence = "no image is pinned for prd"

    assert list(wording().lacks(sentence)) == []
