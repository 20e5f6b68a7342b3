"""The page that was there before this one: on another origin, with the same paths and fields."""

from typing import Any

import pytest
from playwright.sync_api import Browser

from local.system import System
from tests.support.imagecheck.http_server import Answer, serving

pytestmark = pytest.mark.xdist_group("browser")

# It sends a content type with every request, a GET too, and reads `ok` and `error.message` alone.
PLAY = """async (base) => {
    const call = async (path, method = "GET", body) => {
        const response = await fetch(base + path, {
            method,
            headers: { "Content-Type": "application/json" },
            body: body && JSON.stringify(body),
        });
        const answer = await response.json();
        if (!response.ok) throw new Error(answer.error.message);
        return answer;
    };
    const { roomId, hostId } = await call("/rooms", "POST", { hostName: "ひま" });
    for (const playerName of ["二", "三", "四", "五"]) {
        await call(`/rooms/${roomId}/join`, "POST", { playerName });
    }
    const room = await call(`/rooms/${roomId}`);
    const refused = await call(`/rooms/${roomId}/join`, "POST", { playerName: "六" })
        .catch((error) => error.message);
    return { isHost: room.hostId === hostId, names: room.players.map((p) => p.name), refused };
}"""


def test_a_page_of_another_origin_plays_as_before(browser: Browser, system: System) -> None:
    page = browser.new_page()
    empty = Answer(200, {"Content-Type": "text/html"}, b"<title>before</title>")
    with serving(lambda _: empty) as old:
        page.goto(old.url)
        found: Any = page.evaluate(PLAY, system.url)
    page.close()
    assert found == {
        "isHost": True,
        "names": ["ひま", "二", "三", "四", "五"],
        "refused": "ルームが満員です（最大5人）",
    }
