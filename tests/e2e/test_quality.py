"""Everybody can use the page, and it weighs little."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.support.browser import NewPlayer, Player
from tests.support.cdk_context import ROOT

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.proof]

AXE = (ROOT / "tests/node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
MAX_BYTES = 30_000
# Each language and each scheme once: no colour depends on the language.
LOOKS = pytest.mark.parametrize(("locale", "scheme"), [("ja-JP", "light"), ("en-US", "dark")])
TITLES = {
    "ja-JP": ["満員です", "ゲームが始まっています", "この部屋を退出しました", "部屋は終了しました"],
    "en-US": [
        "This room is full",
        "The game has begun",
        "You have left this room",
        "This room has ended",
    ],
}


def violations(page: Page) -> list[str]:
    page.evaluate(AXE)
    found: Any = page.evaluate("axe.run()")
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found["violations"]]


@LOOKS
def test_axe_finds_nothing_on_the_way_in(new_player: NewPlayer, locale: str, scheme: str) -> None:
    host = new_player(locale, color_scheme=scheme, bypass_csp=True)
    friend = new_player(locale, color_scheme=scheme, bypass_csp=True)
    host.page.goto(host.url)
    host.page.get_by_role("form").first.wait_for()
    assert violations(host.page) == []
    code = host.create("ひま")
    assert violations(host.page) == []
    friend.open_link(code)
    friend.page.get_by_role("form").wait_for()
    assert violations(friend.page) == []
    friend.page.get_by_role("form").get_by_role("button").click()
    assert violations(friend.page) == []
    friend.open_link("BCDFGH")
    friend.page.get_by_role("button").nth(1).wait_for()
    assert violations(friend.page) == []


@LOOKS
def test_axe_finds_nothing_on_other_screens(
    new_player: NewPlayer, locale: str, scheme: str
) -> None:
    player = new_player(locale, color_scheme=scheme, bypass_csp=True)
    code = player.create("ひま")
    player.context.set_offline(True)
    player.page.locator("#offline").wait_for()
    assert violations(player.page) == []
    player.context.set_offline(False)

    player.page.goto(player.url)
    form = player.page.get_by_role("form").nth(1)
    form.get_by_role("textbox").nth(0).fill(code)
    form.get_by_role("textbox").nth(1).fill("さくら")
    # The way back to the seat is on this screen too.
    assert violations(player.page) == []
    form.get_by_role("button").click()
    player.page.locator(".notice").wait_for()
    assert violations(player.page) == []
    player.expected("ERR_INTERNET_DISCONNECTED")


@LOOKS
def test_axe_finds_nothing_when_there_is_no_seat(
    new_player: NewPlayer, locale: str, scheme: str
) -> None:
    host, friend, late = (
        new_player(locale, color_scheme=scheme, bypass_csp=True) for _ in range(3)
    )
    code = host.create("ひま")
    friend.join(code, "さくら")
    room = host.page.request.get(f"{host.url}/rooms/{code}").json()
    others = [{**room["players"][0], "playerId": f"{number}"} for number in range(5)]
    found = [
        (late, {**room, "players": others}),
        (late, {**room, "status": "playing"}),
        (friend, {**room, "players": others, "version": room["version"] + 1}),
        (host, None),
    ]
    for title, (player, answer) in zip(TITLES[locale], found, strict=True):
        answer_with(player, code, answer)
        player.page.goto("about:blank")
        player.open_link(code)
        player.heading(title).wait_for()
        assert violations(player.page) == []


def answer_with(player: Player, code: str, room: Any) -> None:
    def answer(route: Route) -> None:
        if room:
            route.fulfill(json=room)
        else:
            route.fulfill(status=404, json={"error": {"code": "NOT_FOUND", "message": "gone"}})

    player.context.unroute(f"**/rooms/{code}")
    player.context.route(f"**/rooms/{code}", answer)


def test_the_whole_page_weighs_less_than_thirty_kilobytes(new_player: NewPlayer) -> None:
    player = new_player()
    requests: list[Request] = []

    def finished(request: Request) -> None:
        requests.append(request)

    player.page.on("requestfinished", finished)
    player.page.goto(player.url, wait_until="networkidle")
    assert len(requests) > 10
    # Without headers, which HTTP/2 and 3 compress: here the same ones come with every file.
    weight = sum(request.sizes()["responseBodySize"] for request in requests)
    assert 10_000 < weight < MAX_BYTES


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_moves_while_it_loads_and_nothing_is_cut_off(
    new_player: NewPlayer, width: int
) -> None:
    player = new_player(viewport={"width": width, "height": 800})
    player.context.add_init_script(
        """window.shifts = [];
        new PerformanceObserver((list) => shifts.push(...list.getEntries().map((e) => e.value)))
            .observe({ type: "layout-shift", buffered: true });"""
    )
    player.page.goto(player.url, wait_until="networkidle")
    assert player.page.evaluate("shifts") == []
    player.create("あ" * 20)
    expect(player.seats.nth(0)).to_be_visible()
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert player.page.evaluate(overflow) == 0


def test_targets_are_large_enough_for_thumbs(new_player: NewPlayer) -> None:
    player: Player = new_player(viewport={"width": 360, "height": 740})
    player.create("ひま")
    boxes = [button.bounding_box() for button in player.page.get_by_role("button").all()]
    assert len(boxes) >= 4
    assert all(box and min(box["width"], box["height"]) >= 44 for box in boxes)


def test_the_pictures_of_the_readme_are_there() -> None:
    for name in ("README.md", "README.ja.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        pictures = [part.partition(")")[0] for part in text.split("](docs/screenshots/")[1:]]
        assert pictures, name
        assert all(Path(ROOT, "docs/screenshots", picture).exists() for picture in pictures)
