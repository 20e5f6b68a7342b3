"""What the page keeps of an action that was refused."""

from typing import Any

import pytest
from playwright.sync_api import Page

JOIN = """async ([status, code]) => {
    localStorage.clear();
    window.fetch = async () => new Response(JSON.stringify({ error: { code } }), { status });
    const { join } = await import("/assets/act.js");
    const { seatIn } = await import("/assets/seats.js");
    const refused = await join("BCD234", "ひま", () => {}).catch((error) => error.code);
    return [refused, Boolean(seatIn("BCD234"))];
}"""


@pytest.mark.parametrize(
    ("status", "code", "keeps"),
    [
        (429, "TOO_MANY_REQUESTS", True),
        (403, "DIRECT_ACCESS", True),
        (404, "NOT_FOUND", False),
        (409, "ROOM_FULL", False),
    ],
)
def test_a_seat_that_may_be_taken_is_kept_when_nobody_has_looked(
    page: Page, status: int, code: str, keeps: bool
) -> None:
    found: Any = page.evaluate(JOIN, [status, code])
    assert found == [code, keeps]
