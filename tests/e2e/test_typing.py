"""Names and codes, as people and their input methods type them."""

import pytest
from playwright.sync_api import Locator, expect

from tests.support.browser import NewPlayer, Player

pytestmark = pytest.mark.xdist_group("browser")


def name_field(player: Player) -> None:
    player.page.goto(player.url)
    form = player.page.get_by_role("form", name="部屋を作る")
    form.get_by_role("textbox").focus()


def tab_to(target: Locator) -> None:
    target.wait_for()
    for _ in range(20):
        target.page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"twenty times Tab do not lead to {target}")


@pytest.mark.proof
def test_the_enter_of_an_input_method_sends_nothing(new_player: NewPlayer) -> None:
    player = new_player()
    name_field(player)
    typing = player.context.new_cdp_session(player.page)
    typing.send("Input.imeSetComposition", {"text": "ひま", "selectionStart": 2, "selectionEnd": 2})
    # As a browser sends it while a composition goes on.
    for key_code in (13, 229):
        prevented = player.page.evaluate(
            """(keyCode) => !document.activeElement.dispatchEvent(new KeyboardEvent("keydown",
                { key: "Enter", keyCode, isComposing: keyCode === 13, bubbles: true,
                  cancelable: true }))""",
            key_code,
        )
        assert prevented
    assert player.stored("creating") is None
    typing.send("Input.insertText", {"text": "ひまわり"})
    player.page.keyboard.press("Enter")
    player.lobby.wait_for()
    expect(player.seats.nth(0)).to_contain_text("ひまわり")


def test_keys_alone_are_enough(new_player: NewPlayer) -> None:
    player = new_player()
    player.page.goto(player.url)
    form = player.page.get_by_role("form", name="部屋を作る")
    tab_to(form.get_by_role("textbox"))
    player.page.keyboard.type("hima")
    player.page.keyboard.press("Tab")
    player.page.keyboard.press("Enter")
    player.lobby.wait_for()
    tab_to(player.page.get_by_role("button", name="退出する"))
    player.page.keyboard.press("Space")
    expect(player.heading("ひまファイブボンバー")).to_be_focused()


@pytest.mark.proof
@pytest.mark.parametrize("name", ["<svg onload=alert()>", "<b>太字</b>", "</li><script>", "{host}"])
def test_a_name_is_text_and_nothing_else(new_player: NewPlayer, name: str) -> None:
    host, friend = new_player(), new_player()
    code = host.create(name)
    friend.join(code, "さくら")
    for player in (host, friend):
        expect(player.seats.nth(0).locator(".name")).to_have_text(name)
        expect(player.page.locator("main b, main [onload], main script")).to_have_count(0)


@pytest.mark.proof
def test_a_code_may_be_typed_as_japanese_keyboards_do(new_player: NewPlayer) -> None:
    host, friend = new_player(), new_player()
    code = host.create("ひま")
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in code.lower())
    friend.page.goto(friend.url)
    form = friend.page.get_by_role("form", name="部屋に参加する")
    form.get_by_role("textbox", name="部屋コード").fill(f" {wide[:3]}ー{wide[3:]}")
    form.get_by_role("textbox", name="あなたの名前").fill("さくら")
    form.get_by_role("button").click()
    friend.lobby.wait_for()


def test_a_problem_is_shown_under_its_field_which_gets_the_focus(new_player: NewPlayer) -> None:
    player = new_player("en-US")
    player.page.goto(player.url)
    form = player.page.get_by_role("form", name="Join a room")
    form.get_by_role("textbox", name="Room code").fill("ABC")
    form.get_by_role("button").click()
    field = form.get_by_role("textbox", name="Room code")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(
        "A room code has six characters. Check your friend's message"
    )
    expect(form.get_by_role("textbox", name="Your name")).to_have_accessible_description(
        "Enter a name"
    )


def test_another_language_keeps_what_was_typed_and_is_remembered(new_player: NewPlayer) -> None:
    player = new_player()
    player.page.goto(player.url)
    player.page.get_by_role("form", name="部屋を作る").get_by_role("textbox").fill("ひま")
    player.press("English")
    expect(player.page).to_have_title("Hima Five Bomber")
    assert player.page.locator("html").get_attribute("lang") == "en"
    form = player.page.get_by_role("form", name="Create a room")
    expect(form.get_by_role("textbox")).to_have_value("ひま")
    player.page.reload()
    expect(player.heading("Hima Five Bomber")).to_be_visible()
