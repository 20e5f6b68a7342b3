"""A real browser for the tests, and a player in it."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    sync_playwright,
)

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
# The same browser without windows and what belongs to them: it takes half of the processor's time.
_WITHOUT_WINDOWS: Final = "chromium-headless-shell"
_FLAGS: Final = (
    # Chromium's own sandbox does not start for root, nor in most containers.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WORDS: Final[dict[str, dict[str, str]]] = {
    "ja": {"name": "あなたの名前", "create": "部屋を作る", "join": "参加する", "lobby": "ロビー"},
    "en": {"name": "Your name", "create": "Create a room", "join": "Join", "lobby": "Lobby"},
}


def chromium() -> str:
    """Return where the browser is."""
    for name in _NAMES:
        if path := shutil.which(name):
            return path
    raise FileNotFoundError(f"there is no {' or '.join(_NAMES)} on the PATH: run `make packages`")


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Give Debian's headless Chromium, or where it is not packaged, the whole one."""
    path = shutil.which(_WITHOUT_WINDOWS) or chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Player:
    """Somebody with a browser of their own, who sees nothing go wrong in it."""

    context: BrowserContext
    url: str
    language: str
    wrong: list[str]
    """What the browser complained of."""
    page: Page = field(init=False)

    def __post_init__(self) -> None:
        self.page = self.tab()

    def tab(self) -> Page:
        page = self.context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        return page

    def _heard(self, message: ConsoleMessage) -> None:
        # A status that the page deals with is no mistake of the page's.
        if message.type in {"error", "warning"} and "the server responded with" not in message.text:
            self.wrong.append(message.text)

    def expected(self, complaint: str) -> None:
        """Take this for no mistake of the page's, as where a test has cut a connection."""
        self.wrong[:] = [text for text in self.wrong if complaint not in text]

    def create(self, name: str) -> str:
        """Open a room at the first screen, and return its code."""
        words = WORDS[self.language]
        self.page.goto(self.url)
        form = self.page.get_by_role("form", name=words["create"])
        form.get_by_role("textbox", name=words["name"]).fill(name)
        form.get_by_role("button", name=words["create"]).click()
        self.lobby.wait_for()
        return self.page.get_by_test_id("code").inner_text()

    def open_link(self, code: str) -> None:
        self.page.goto(f"{self.url}/#{code}")

    def join(self, code: str, name: str) -> None:
        """Follow a friend's link, and take a seat."""
        self.open_link(code)
        self.page.get_by_role("textbox", name=WORDS[self.language]["name"]).fill(name)
        self.press(WORDS[self.language]["join"])
        self.lobby.wait_for()

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def heading(self, name: str) -> Locator:
        return self.page.get_by_role("heading", name=name, exact=True)

    @property
    def lobby(self) -> Locator:
        return self.heading(WORDS[self.language]["lobby"])

    @property
    def seats(self) -> Locator:
        return self.page.locator("ol.seats > li")

    def stored(self, key: str) -> Any:
        return self.page.evaluate("key => JSON.parse(localStorage.getItem(key))", key)


NewPlayer = Callable[..., Player]


@contextmanager
def players(browser: Browser, url: str) -> Iterator[NewPlayer]:
    """Yield what makes players; afterwards none of them may have seen anything go wrong."""
    made: list[Player] = []

    def new(locale: str = "ja-JP", **options: Any) -> Player:
        context = browser.new_context(locale=locale, **options)
        context.set_default_timeout(15_000)
        player = Player(context, url, locale[:2], [])
        made.append(player)
        return player

    yield new
    for player in made:
        player.context.close()
    wrong = [text for player in made for text in player.wrong]
    assert wrong == []
