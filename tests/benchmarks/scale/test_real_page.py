"""The real page, in a browser whose clock runs ahead, sends as many polls as are reckoned with."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route

from benchmarks.scale.evening import Evening, requests_of
from tests.support.browser import WORDS

pytestmark = [pytest.mark.proof, pytest.mark.xdist_group("browser")]

ORIGIN = "http://page.example"
FRONTEND = Path("frontend")
QR_LIBRARY = Path("node_modules/lean-qr/nano.mjs")
CREATED = 1_790_000_000_000
TYPES = {".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}


class Api:
    """Answers as the API does, for a room in which nothing changes."""

    def __init__(self) -> None:
        self.polls = 0
        self.unchanged = 0
        self._player = {"playerId": "1" * 32, "name": "ひま", "joinedAt": CREATED}
        self._room = {
            "roomId": "BCDFGH",
            "hostId": "1" * 32,
            "players": [self._player],
            "status": "waiting",
            "maxPlayers": 5,
            "createdAt": CREATED,
            "expiresAt": CREATED + 86_400_000,
            "version": 1,
        }

    def answer(self, route: Route) -> None:
        request = route.request
        path = request.url.removeprefix(ORIGIN).split("?")[0]
        if request.method == "POST":
            seat = {"playerId": "1" * 32, "playerToken": "t" * 43, "roomId": "BCDFGH"}
            self._json(route, {**seat, "hostId": "1" * 32, "room": self._room})
        elif path.startswith("/rooms/"):
            self.polls += 1
            if request.headers.get("if-none-match") == '"1-1"':
                self.unchanged += 1
                route.fulfill(status=304, headers={"etag": '"1-1"'})
            else:
                self._json(route, self._room)
        else:
            name = "index.html" if path == "/" else path.removeprefix("/")
            file = QR_LIBRARY if name.endswith("lean-qr.mjs") else FRONTEND / name
            kind = TYPES.get(file.suffix, "text/javascript")
            route.fulfill(body=file.read_bytes(), content_type=f"{kind}; charset=utf-8")

    @staticmethod
    def _json(route: Route, body: object) -> None:
        route.fulfill(
            body=json.dumps(body), content_type="application/json", headers={"etag": '"1-1"'}
        )


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(locale="ja-JP")
    yield context.new_page()
    context.close()


def test_the_real_page_polls_as_often_as_reckoned(page: Page) -> None:
    api = Api()
    page.clock.install()
    page.route("**/*", api.answer)
    page.goto(f"{ORIGIN}/")
    words = WORDS["ja"]
    form = page.get_by_role("form", name=words["create"])
    form.get_by_role("textbox", name=words["name"]).fill("ひま")
    form.get_by_role("button", name=words["create"]).click()
    page.get_by_test_id("code").wait_for()
    api.polls = api.unchanged = 0

    for _ in range(600):
        page.clock.run_for(1000)
        # Answers come in real time, and only then is the next poll planned.
        page.evaluate("fetch('/rooms/BCDFGH', {method: 'POST'})")

    alone = Evening(players=1, lobby_s=600, origin_s=0.5, typing_errors=0)
    reckoned = requests_of(alone, room_bytes=600).polls
    assert api.polls == pytest.approx(reckoned, rel=0.08)
    assert api.unchanged >= api.polls - 2
