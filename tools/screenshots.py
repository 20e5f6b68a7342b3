"""``python -m tools.screenshots``: take the README's pictures of the deployed page."""

import tempfile
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import expect

from local.system import running_system
from tests.support.browser import NewPlayer, Player, players, running_browser
from tests.support.cdk_context import ROOT

FOLDER: Final = ROOT / "docs/screenshots"
_PHONE: Final[dict[str, Any]] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 1.5,
}
_DESKTOP: Final[dict[str, Any]] = {"viewport": {"width": 1100, "height": 720}}
_SHARED: Final = {"url": "https://play.example.com"}
_DARK: Final[dict[str, Any]] = {"color_scheme": "dark"}


def main() -> None:
    """Play an evening, and take pictures of it."""
    FOLDER.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_system(port=0, work_folder=Path(folder)) as system,
        running_browser() as browser,
        players(browser, system.url) as new_player,
    ):
        _evening(_reachable(new_player))


def _evening(new_player: NewPlayer) -> None:
    host = new_player("ja-JP", **_PHONE)
    host.page.goto(host.url)
    _take(host, "home-phone-ja")
    code = host.create("ひま")
    for name in ("さくら", "たろう"):
        new_player().join(code, name)
    guest = new_player("en-US", **_DESKTOP, **_DARK)
    guest.open_link(code)
    guest.page.get_by_role("form").wait_for()
    _take(guest, "join-desktop-en-dark")
    guest.join(code, "Alice")
    _take(guest, "lobby-desktop-en-dark")
    expect(host.page.get_by_text("4/5")).to_be_visible()
    _take(host, "lobby-phone-ja")
    dark = new_player("ja-JP", **_PHONE, **_DARK)
    dark.join(code, "五郎")
    _take(dark, "lobby-phone-ja-dark")
    late = new_player("en-US", **_DESKTOP)
    late.page.goto(late.url)
    _take(late, "home-desktop-en")


def _reachable(new_player: NewPlayer) -> NewPlayer:
    """Let the page believe that phones can open it, as they can where it is deployed."""

    def new(*arguments: Any, **settings: Any) -> Player:
        player = new_player(*arguments, **settings)
        player.context.route("**/local/shared-url", lambda route: route.fulfill(json=_SHARED))
        return player

    return new


def _take(player: Player, name: str) -> None:
    player.page.locator("h1").wait_for()
    # The QR code has been drawn.
    expect(player.page.locator("div.qr")).to_have_count(0)
    # News fades, which would make every picture different.
    player.page.evaluate("document.querySelector('#news').classList.remove('shown')")
    player.page.screenshot(path=FOLDER / f"{name}.png", animations="disabled")


if __name__ == "__main__":
    main()
