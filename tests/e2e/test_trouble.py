"""The page when something goes wrong."""

import json
import time
from contextlib import suppress
from typing import Any

import pytest
from constructs.client_limit import REFUSED
from playwright.sync_api import Error, Route, expect

from local.system import NAMES
from tests.support.browser import NewPlayer

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.proof]


@pytest.fixture
def change_room(aws: Any) -> Any:
    """Change an attribute of a room's item."""

    def change(code: str, name: str, value: dict[str, str]) -> None:
        aws("dynamodb").update_item(
            TableName=NAMES.table,
            Key={"roomId": {"S": code}},
            UpdateExpression="SET #name = :value",
            ExpressionAttributeNames={"#name": name},
            ExpressionAttributeValues={":value": value},
        )

    return change


def test_offline_is_shown_and_it_recovers_by_itself(new_player: NewPlayer) -> None:
    host, friend = new_player(), new_player()
    code = host.create("ひま")
    host.context.set_offline(True)
    expect(host.page.get_by_role("alert").filter(has_text="オフライン")).to_be_visible()
    friend.join(code, "さくら")
    host.context.set_offline(False)
    expect(host.seats.nth(1)).to_contain_text("さくら")
    expect(host.page.locator("#offline")).to_be_hidden()
    host.expected("ERR_INTERNET_DISCONNECTED")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (503, '{"error": {"code": "UNAVAILABLE", "message": "busy"}}'),
        (429, '{"message": "Too Many Requests"}'),
        (429, json.dumps(REFUSED)),
        (403, "<html>"),
        (502, "<html>"),
    ],
    ids=["the API's", "the gateway's", "the client's limit", "the firewall's", "the edge's"],
)
def test_a_busy_server_is_waited_for(new_player: NewPlayer, status: int, body: str) -> None:
    player = new_player()
    times = 1

    def busy(route: Route) -> None:
        nonlocal times
        times -= 1
        if times < 0:
            route.continue_()
        else:
            route.fulfill(status=status, headers={"retry-after": "1"}, body=body)

    player.context.route("**/rooms", busy)
    player.create("ひま")
    assert times == -1


@pytest.mark.parametrize("act", ["create", "join"])
def test_a_lost_answer_takes_no_second_seat(new_player: NewPlayer, act: str) -> None:
    host, player = new_player(), new_player()
    code = host.create("ひま")
    lost = True

    def lose(route: Route) -> None:
        nonlocal lost
        if lost:
            route.fetch()
            lost = False
            route.abort()
        else:
            route.continue_()

    player.context.route("**/rooms" if act == "create" else "**/rooms/*/join", lose)
    if act == "create":
        player.create("さくら")
    else:
        player.join(code, "さくら")
    assert not lost
    player.expected("ERR_FAILED")
    expect(player.page.get_by_text("1/5" if act == "create" else "2/5")).to_be_visible()


def test_a_reload_while_creating_finds_the_new_room(new_player: NewPlayer) -> None:
    player = new_player()
    opened: list[str] = []

    def lose(route: Route) -> None:
        opened.append(route.fetch().json()["roomId"])

    player.context.route("**/rooms", lose)
    player.page.goto(player.url)
    form = player.page.get_by_role("form", name="部屋を作る")
    form.get_by_role("textbox").fill("さくら")
    form.get_by_role("button").click()
    expect(form.get_by_role("button")).to_have_text("部屋を作っています…")
    while not opened:
        player.page.wait_for_timeout(10)
    player.page.reload()
    # Not before: what is held up would go on, and be answered.
    player.context.unroute("**/rooms")
    assert player.create("さくら") == opened[0]


def test_an_answer_from_before_one_joined_takes_no_seat_away(new_player: NewPlayer) -> None:
    """The edge may be a second behind."""
    host, player = new_player(), new_player()
    code = host.create("ひま")
    before = host.page.request.get(f"{host.url}/rooms/{code}").body()
    player.join(code, "さくら")
    answered = 0

    def older_at_first(route: Route) -> None:
        nonlocal answered
        answered += 1
        if answered == 1:
            route.fulfill(body=before, content_type="application/json")
        else:
            route.continue_()

    player.context.route(f"**/rooms/{code}", older_at_first)
    player.page.reload()
    expect(player.seats.nth(1)).to_contain_text("あなた")
    assert answered > 1


def test_a_late_answer_does_not_change_the_screen(new_player: NewPlayer) -> None:
    host, player = new_player(), new_player()
    code = host.create("ひま")
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        if waiting:
            route.continue_()
        else:
            waiting.append(route)

    player.context.route("**/rooms", hold)
    player.page.goto(player.url)
    form = player.page.get_by_role("form", name="部屋を作る")
    form.get_by_role("textbox").fill("さくら")
    with player.page.expect_request("**/rooms"):
        form.get_by_role("button").click()
    player.join(code, "さくら")
    # On a slow machine the page has given it up, and asked again.
    with suppress(Error):
        waiting[0].continue_()
    while player.stored("creating") is not None:
        player.page.wait_for_timeout(10)
    assert player.page.get_by_test_id("code").inner_text() == code


def test_a_failed_leave_keeps_the_seat(new_player: NewPlayer) -> None:
    player = new_player()
    player.create("ひま")
    player.context.route("**/leave", lambda route: route.abort())
    player.press("退出する")
    expect(player.page.get_by_role("alert").filter(has_text="つながりません")).to_be_visible()
    player.expected("ERR_FAILED")
    player.page.reload()
    expect(player.seats.nth(0)).to_contain_text("あなた")


def test_a_game_that_has_begun_takes_nobody(new_player: NewPlayer, change_room: Any) -> None:
    host, late = new_player(), new_player("en-US")
    code = host.create("ひま")
    change_room(code, "status", {"S": "playing"})
    late.open_link(code)
    expect(late.heading("The game has begun").or_(late.page.get_by_role("form"))).to_be_visible()
    if late.page.get_by_role("form").is_visible():  # as the edge knew it a second ago
        late.page.get_by_role("textbox").fill("Late")
        late.press("Join")
    expect(late.heading("The game has begun")).to_be_visible()


def test_players_see_that_their_room_has_expired(new_player: NewPlayer, change_room: Any) -> None:
    host = new_player()
    code = host.create("ひま")
    change_room(code, "expiresAt", {"N": str(int(time.time()) - 10)})
    expect(host.heading("部屋は終了しました")).to_be_visible()
    assert host.stored("seats") == {}


@pytest.mark.parametrize("code", ["BCDFGH", "ABC", "%"])
def test_a_room_that_is_not_there_is_not_found(new_player: NewPlayer, code: str) -> None:
    player = new_player("en-US")
    player.open_link(code)
    expect(player.heading("Room not found")).to_be_visible()
    player.press("Back to start")
    expect(player.heading("Hima Five Bomber")).to_be_visible()


@pytest.mark.parametrize(
    ("status", "body"),
    [(429, json.dumps(REFUSED)), (429, '{"message": "Too Many Requests"}'), (403, "<html>")],
    ids=["the client's limit", "the gateway's", "the firewall's"],
)
def test_who_is_turned_away_for_a_while_keeps_the_seat(
    new_player: NewPlayer, status: int, body: str
) -> None:
    player = new_player()
    code = player.create("ひま")

    def refuse(route: Route) -> None:
        route.fulfill(status=status, headers={"retry-after": "1"}, body=body)

    player.context.route(f"**/rooms/{code}", refuse)
    expect(player.page.get_by_text("つながりにくくなっています")).to_be_visible(timeout=30_000)
    expect(player.seats.nth(0)).to_contain_text("ひま")
    player.context.unroute(f"**/rooms/{code}")
    expect(player.page.get_by_text("つながりにくくなっています")).to_be_hidden(timeout=30_000)
    player.page.reload()
    expect(player.seats.nth(0)).to_contain_text("ひま")
