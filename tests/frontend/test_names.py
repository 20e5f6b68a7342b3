"""Names: the page's rules are the API's, on one table of cases."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page

from lambda_src.rooms import names
from tests.support.cdk_context import ROOT

CASES: list[dict[str, Any]] = json.loads(
    (ROOT / "tests/lambda_src/rooms/name_cases.json").read_text(encoding="utf-8")
)
REFUSED = {
    "empty": "cannot be empty",
    "long": "must be 20 characters or less",
    "control": "must not contain control characters, U+FFFD or noncharacters",
    "invisible": "must have a character that can be seen",
}


def test_each_case_of_the_table_that_api_and_page_share(page: Page) -> None:
    found = page.evaluate(
        """async (texts) => {
            const { cleanName } = await import("/assets/names.js");
            return texts.map((text) => cleanName(JSON.parse(text)));
        }""",
        # Halves of surrogate pairs do not survive the way to the browser otherwise.
        [json.dumps(case["typed"]) for case in CASES],
    )
    for case, outcome in zip(CASES, found, strict=True):
        if "name" in case:
            assert outcome == {"name": case["name"]}, case["why"]
        else:
            assert case["refused"] in REFUSED[outcome["problem"]], case["why"]


@pytest.mark.proof
def test_the_page_judges_every_character_as_the_api_does(page: Page) -> None:
    """But for those that only one of them knows: the table is of one version of Unicode."""
    judged, unknown = page.evaluate(
        """async () => {
            const { cleanName } = await import("/assets/names.js");
            const all = [...Array(0x110000).keys()].map((point) => String.fromCodePoint(point));
            const unknown = all.flatMap((one, point) => (/\\p{Cn}/u.test(one) ? [point] : []));
            return [all.map((one) => cleanName(one).problem ?? "").join(), unknown];
        }"""
    )
    problems = judged.split(",")
    assert len(problems) == 0x110000
    differs = {
        hex(point)
        for point, problem in enumerate(problems)
        if _said_by_the_api(chr(point)) != REFUSED.get(problem)
    }
    assert differs <= set(map(hex, unknown))


def _said_by_the_api(typed: str) -> str | None:
    try:
        names.clean(typed)
    except ValueError as error:
        return str(error)
    return None
