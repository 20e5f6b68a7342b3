"""Names: the page's rules are the API's, on one table of cases."""

import json
from typing import Any

from playwright.sync_api import Page

from tests.support.cdk_context import ROOT

CASES: list[dict[str, Any]] = json.loads(
    (ROOT / "tests/lambda_src/rooms/name_cases.json").read_text(encoding="utf-8")
)
REFUSED = {
    "empty": "cannot be empty",
    "long": "must be 20 characters or less",
    "control": "must not contain control characters",
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
