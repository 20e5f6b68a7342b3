"""Room codes: the page understands what the API understands, on one table of cases."""

from playwright.sync_api import Page

from tests.support.rooms.code_cases import NO_CODE, SAME_CODE


def test_each_case_of_the_table_that_api_and_page_share(page: Page) -> None:
    found = page.evaluate(
        """async (texts) => {
            const { codeInAddress } = await import("/assets/codes.js");
            return texts.map((text) => codeInAddress(`#${text}`));
        }""",
        SAME_CODE + NO_CODE,
    )
    wanted = ["BCD234"] * len(SAME_CODE) + [None] * len(NO_CODE)
    assert dict(zip(SAME_CODE + NO_CODE, found, strict=True)) == dict(
        zip(SAME_CODE + NO_CODE, wanted, strict=True)
    )
