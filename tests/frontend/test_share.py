"""The link for others, and its QR code: at an address of this machine alone, and elsewhere."""

import json
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, Route

from tests.support.cdk_context import ROOT
from tests.support.sampling import mostly_proofs

QR = ROOT / "node_modules" / "lean-qr" / "nano.mjs"
SHARED = "http://192.168.1.5:3000"
# The lobby in an empty document, without asking for news; and the path that a code of `link` has.
LOBBY = """async () => {
    if (navigator.clipboard) {
        navigator.clipboard.writeText = async (text) => { window.copied = text; };
    }
    const { lobby } = await import("/assets/screens/lobby.js");
    const seat = { playerId: "p", token: "t", since: { createdAt: 1, version: 1 } };
    const room = lobby({}, "BCD234", seat, null);
    room.stop();
    document.body.innerHTML = '<p id="news"></p>';
    document.body.append(room.element);
}"""
PATH_OF = """async (link) => {
    const { qrCode } = await import("/assets/qr.js");
    return qrCode(link).querySelector("path").getAttribute("d");
}"""
Open = Callable[..., Page]


@pytest.fixture
def open_lobby(browser: Browser) -> Iterator[Open]:
    """Open the lobby at an origin whose server says at which address it is shared."""
    contexts = []

    def open_(origin: str, shared: str | None = None, status: int = 200) -> Page:
        context = browser.new_context(locale="en-US")
        contexts.append(context)
        page = context.new_page()

        def answer(route: Route) -> None:
            path = route.request.url.removeprefix(f"{origin}/")
            if path == "local/shared-url":
                route.fulfill(status=status, body=json.dumps({"url": shared}))
            elif path.startswith("assets/"):
                file = QR if path == "assets/lean-qr.mjs" else ROOT / "frontend" / path
                route.fulfill(body=file.read_bytes(), content_type="text/javascript")
            elif not path:
                route.fulfill(body="<!doctype html><title>empty</title>", content_type="text/html")
            else:
                route.fulfill(status=404)

        page.route(f"{origin}/**", answer)
        page.goto(f"{origin}/")
        page.evaluate(LOBBY)
        return page

    yield open_
    for context in contexts:
        context.close()


LOOPBACK = (
    "http://127.0.0.1:3000",
    "http://localhost:3000",
    "http://127.1.2.3:3000",
    "http://[::1]:3000",
    "http://rooms.localhost:3000",
)


@pytest.mark.parametrize("origin", mostly_proofs(LOOPBACK))
def test_the_code_and_the_copied_link_hold_the_address_for_others(
    open_lobby: Open, origin: str
) -> None:
    page = open_lobby(origin, SHARED)
    drawn = page.get_by_role("img", name="QR code to join").locator("path")
    link = f"{SHARED}/#BCD234"
    assert drawn.get_attribute("d") == page.evaluate(PATH_OF, link)
    page.evaluate("navigator.share = undefined")
    page.get_by_role("button", name="Share the link").click()
    page.get_by_text("Copied").wait_for()
    assert page.evaluate("copied") == link


@pytest.mark.parametrize("origin", mostly_proofs(LOOPBACK))
@pytest.mark.parametrize("status", [200, 404])
def test_where_no_phone_can_open_the_page_it_says_why_instead_of_showing_a_code(
    open_lobby: Open, origin: str, status: int
) -> None:
    page = open_lobby(origin, None, status)
    page.get_by_text("this address opens on this computer alone").wait_for()
    page.get_by_text("make run HOST=0.0.0.0").wait_for()
    assert page.get_by_role("img").count() == 0
    assert page.locator("div.qr").count() == 0


@pytest.mark.parametrize(
    "origin",
    [
        "https://play.example",
        "http://192.168.1.5:3000",
        "https://localhost.example",
        "http://127.example",
    ],
)
def test_elsewhere_the_pages_own_address_is_the_one_and_nobody_is_asked(
    open_lobby: Open, origin: str
) -> None:
    page = open_lobby(origin, "http://of.somebody.else")
    drawn = page.get_by_role("img", name="QR code to join").locator("path")
    assert drawn.get_attribute("d") == page.evaluate(PATH_OF, f"{origin}/#BCD234")
    asked = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert not [url for url in asked if "shared-url" in url]
