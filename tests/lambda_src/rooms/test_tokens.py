import pytest

from lambda_src.rooms import codes, tokens


def test_a_new_token_is_well_formed_and_never_the_same() -> None:
    made = {tokens.new() for _ in range(100)}
    assert len(made) == 100
    assert all(map(tokens.is_well_formed, made))


@pytest.mark.parametrize("token", ["c0ffee00-1111-4222-8333-444455556666", "0" * 32, "_-" * 64])
def test_what_clients_make_is_well_formed(token: str) -> None:
    assert tokens.is_well_formed(token)


@pytest.mark.parametrize("token", ["", "a" * 31, "a" * 129, "a" * 32 + "\n", "é" * 32, "a b" * 20])
def test_what_is_short_long_or_strange_is_not(token: str) -> None:
    assert not tokens.is_well_formed(token)


def test_what_is_derived_is_the_same_each_time_and_tells_nothing_of_the_token() -> None:
    token = tokens.new()
    derived = {
        tokens.digest(token).hex(),
        tokens.player_id(token, "BCDFGH"),
        tokens.player_id(token, "BCDFGJ"),
        tokens.room_code(token, 0),
        tokens.room_code(token, 1),
    }
    assert len(derived) == 5
    assert tokens.player_id(token, "BCDFGH") == tokens.player_id(token, "BCDFGH")
    assert token not in "".join(derived)
    assert tokens.player_id(token, "BCDFGH") not in tokens.digest(token).hex()


def test_every_attempt_gives_a_code() -> None:
    token = tokens.new()
    for attempt in range(4):
        assert codes.fold(tokens.room_code(token, attempt)) == tokens.room_code(token, attempt)
