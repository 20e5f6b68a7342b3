"""The polling interval of the page, with a fake clock."""

from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Page

ROOM = {"createdAt": 1, "version": 1}
WATCH = """async () => {
    Math.random = () => 0.5;
    document.visible = true;
    Object.defineProperty(document, "hidden", { get: () => !document.visible });
    window.asked = [];
    window.told = [];
    // A real Response is read in the browser's own time, which the test's clock does not hold.
    window.respond = (status, body, headers) =>
        ({ ok: status === 200, status, headers: new Headers(headers), json: async () => body });
    window.answer = () => respond(200, { createdAt: 1, version: 1 }, { etag: '"1"' });
    window.fetch = async (path, { headers }) => {
        window.asked.push([Date.now(), headers["if-none-match"] ?? ""]);
        window.shown = headers["x-room-created"] ?? "";
        return window.answer();
    };
    const { watch } = await import("/assets/watch.js");
    window.stop = watch("BCD234", null, {
        changed: (room) => window.told.push(room.version),
        gone: () => window.told.push("gone"),
        trouble: (isDown) => window.told.push(isDown),
    });
}"""


@pytest.fixture
def watching(page: Page) -> Page:
    page.clock.install(time=0)
    page.clock.pause_at(1000)
    page.evaluate(WATCH)
    return page


def waits(page: Page, seconds: int) -> list[float]:
    """Let time pass, and return the seconds between the questions that were asked."""
    page.evaluate("asked.length = 0")
    page.clock.run_for(seconds * 1000)
    times = [at for at, _ in page.evaluate("asked")]
    return [round((b - a) / 1000, 1) for a, b in pairwise(times)]


def answer(page: Page, status: int, headers: dict[str, str] | None = None) -> None:
    page.evaluate(
        "([status, headers]) => { answer = () => respond(status, {}, headers); }",
        [status, headers or {}],
    )


def test_it_asks_often_at_first_and_seldom_when_nothing_happens(watching: Page) -> None:
    answer(watching, 304)
    assert {*waits(watching, 50)} == {2.0}
    watching.clock.run_for(20_000)
    assert {*waits(watching, 100)} == {5.0}
    watching.clock.run_for(240_000)
    assert {*waits(watching, 100)} == {15.0}


def test_a_change_makes_it_ask_often_again(watching: Page) -> None:
    answer(watching, 304)
    watching.clock.run_for(400_000)
    watching.evaluate("answer = () => respond(200, { createdAt: 1, version: 2 })")
    watching.clock.run_for(20_000)
    answer(watching, 304)
    assert waits(watching, 10)[-1] == 2.0


def test_it_says_what_it_has_and_shows_what_is_new(watching: Page) -> None:
    answer(watching, 304)
    watching.clock.run_for(5000)
    assert [tag for _, tag in watching.evaluate("asked")][:3] == ["", '"1"', '"1"']
    assert watching.evaluate("told") == [1]


def test_a_hidden_tab_asks_twice_a_minute_and_at_once_when_it_is_seen(watching: Page) -> None:
    answer(watching, 304)
    watching.evaluate("document.visible = false")
    watching.clock.run_for(3000)
    assert {*waits(watching, 100)} == {30.0}
    before = len(watching.evaluate("asked"))
    watching.evaluate(
        "document.visible = true; document.dispatchEvent(new Event('visibilitychange'))"
    )
    assert len(watching.evaluate("asked")) == before + 1


def test_it_backs_off_from_a_server_that_is_busy_and_says_so(watching: Page) -> None:
    answer(watching, 503)
    assert waits(watching, 120)[:6] == [2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    answer(watching, 304)
    watching.clock.run_for(31_000)
    assert watching.evaluate("told.at(-1)") is False


def test_it_waits_as_long_as_it_is_asked_to(watching: Page) -> None:
    answer(watching, 503, {"retry-after": "60"})
    assert waits(watching, 130)[0] >= 60


@pytest.mark.parametrize("random", [0, 0.999])
def test_no_two_pages_ask_in_step(page: Page, random: float) -> None:
    found: Any = page.evaluate(
        """async (random) => {
            Math.random = () => random;
            const { jittered, backOff } = await import("/assets/waiting.js");
            return [jittered(1000), backOff(1, 5000)];
        }""",
        random,
    )
    assert found == pytest.approx([800 + 400 * random, 5000 + 1000 * random])


def test_it_shows_that_it_has_seen_the_room_as_soon_as_it_has(watching: Page) -> None:
    assert watching.evaluate("shown") == ""
    watching.clock.run_for(3000)
    assert watching.evaluate("shown") == "1"


def test_a_room_that_is_gone_ends_it(watching: Page) -> None:
    watching.evaluate(
        "() => { answer = () => respond(404, { error: { code: 'NOT_FOUND', message: '' } }); }"
    )
    watching.clock.run_for(3000)
    before = len(watching.evaluate("asked"))
    watching.clock.run_for(60_000)
    assert watching.evaluate("told") == [1, "gone"]
    assert len(watching.evaluate("asked")) == before


@pytest.mark.parametrize("status", [403, 404])
def test_errors_of_the_gateway_do_not_stop_polling(watching: Page, status: int) -> None:
    answer(watching, status)
    watching.clock.run_for(30_000)
    assert "gone" not in watching.evaluate("told")
    answer(watching, 304)
    watching.clock.run_for(60_000)
    assert watching.evaluate("told")[-1] is False


def test_older_answers_are_dropped(page: Page) -> None:
    """The edge may be a second behind an answer that the page already has."""
    cases: list[tuple[dict[str, int], dict[str, int] | None, bool]] = [
        ({"createdAt": 1, "version": 1}, {"createdAt": 1, "version": 2}, True),
        ({"createdAt": 1, "version": 3}, {"createdAt": 1, "version": 2}, False),
        ({"createdAt": 2, "version": 1}, {"createdAt": 1, "version": 9}, False),
        ({"createdAt": 1, "version": 9}, {"createdAt": 2, "version": 1}, True),
        (ROOM, None, False),
    ]
    for room, shown, older in cases:
        found = page.evaluate(
            'async ([room, shown]) => (await import("/assets/watch.js")).isOlder(room, shown)',
            [room, shown],
        )
        assert found is older, (room, shown)
