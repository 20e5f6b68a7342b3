"""The requests of an evening."""

import pytest
from constructs.page_distribution import ROOM_CACHE_S
from constructs.page_files import _asset_files

from benchmarks.scale.evening import CACHE_S, Evening, page_files, requests_of

BODY = 640


def test_the_edge_keeps_a_room_as_long_as_the_distribution_says() -> None:
    assert CACHE_S == ROOM_CACHE_S


def test_the_files_are_those_that_are_uploaded() -> None:
    count, size = page_files()

    assert count == len(_asset_files()) + 1  # index.html
    assert 10_000 < size < sum(path.stat().st_size for path in _asset_files().values())


def test_one_player_alone_polls_at_the_three_speeds_of_the_page() -> None:
    alone = Evening(players=1, lobby_s=600, origin_s=0, typing_errors=0)
    found = requests_of(alone, room_bytes=BODY)

    # A minute at 2 s, four at 5 s, five at 15 s.
    assert found.polls == pytest.approx(60 / 2 + 240 / 5 + 300 / 15, rel=0.03)
    assert found.missed == found.polls
    # The first answer is a room.
    assert found.unchanged == pytest.approx(found.polls - 1)


def test_a_room_is_asked_for_once_a_second_at_most_where_the_edge_keeps_it() -> None:
    busy = Evening(join_every_s=1, lobby_s=60)
    found = requests_of(busy, room_bytes=BODY)

    assert found.polls == pytest.approx(5 * 60 / 2.05, rel=0.1)
    assert found.missed <= 60
    assert requests_of(busy, room_bytes=BODY, cache_s=0).missed > 100


def test_five_friends_at_five_edges_share_nothing() -> None:
    found = requests_of(Evening(edges=5), room_bytes=BODY)

    assert found.missed == found.polls


def test_a_background_tab_asks_every_half_minute() -> None:
    shown = requests_of(Evening(), room_bytes=BODY)
    hidden = requests_of(Evening(hidden_s=3600), room_bytes=BODY)

    assert hidden.polls - shown.polls == pytest.approx(5 * 3600 / 30, rel=0.03)


def test_requests_add_up() -> None:
    found = requests_of(Evening(), room_bytes=BODY)

    assert found.writes == 10
    assert found.to_api == found.writes + found.looks + found.errors + found.missed
    assert found.to_edge == pytest.approx(
        found.files + found.writes + found.looks + found.errors + found.polls
    )
