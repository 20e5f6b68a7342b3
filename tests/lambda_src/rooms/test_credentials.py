"""What a code, an id and a token are good for, and what they are not."""

import json

from lambda_src.rooms import tokens
from tests.lambda_src.rooms.conftest import Api

SEVERAL_PLAYERS = ("ホスト", "ゲスト", "三人目")


def room_of_three(api: Api) -> tuple[str, list[dict[str, str]]]:
    """A room's code, and what each of its players was answered."""
    host = api.create(SEVERAL_PLAYERS[0]).body
    room = host["roomId"]
    return room, [host, *(api.join(room, name).body for name in SEVERAL_PLAYERS[1:])]


def names_in(api: Api, room: str) -> list[str]:
    return [player["name"] for player in api.get(room).body["players"]]


def test_a_code_shows_who_is_there_and_takes_a_free_seat(api: Api) -> None:
    room, _ = room_of_three(api)
    assert names_in(api, room) == [*SEVERAL_PLAYERS]
    assert api.join(room, "知らない人").status == 200


def test_a_code_takes_no_seat_away(api: Api) -> None:
    room, _ = room_of_three(api)
    for token in (None, room, tokens.new(), room * 6):
        assert api.leave(room, token).code in {"UNAUTHORIZED", "FORBIDDEN"}
    assert names_in(api, room) == [*SEVERAL_PLAYERS]


def test_no_answer_shows_the_token_of_somebody_else_or_what_is_stored_of_it(api: Api) -> None:
    room, players = room_of_three(api)
    answers = [api.get(room), api.join(room, "四人目"), api.join(room, "五人目")]
    answers += [api.join(room, "六人目"), api.leave(room, answers[1].body["playerToken"])]
    shown = json.dumps([answer.body for answer in answers], ensure_ascii=False)
    for player in players:
        token = player["playerToken"]
        assert token not in shown
        assert tokens.digest(token).hex() not in shown


def test_a_player_id_is_no_credential(api: Api) -> None:
    """It has the form of a token: so it is a token of nobody."""
    room, players = room_of_three(api)
    for player in players:
        answer = api.leave(room, player["playerId"])
        assert (answer.status, answer.code) == (403, "FORBIDDEN")
    assert names_in(api, room) == [*SEVERAL_PLAYERS]


def test_who_joins_with_the_id_of_a_player_is_somebody_else(api: Api) -> None:
    room, players = room_of_three(api)
    victim = players[1]["playerId"]
    joined = api.join(room, "なりすまし", token=victim).body
    assert joined["playerId"] not in {player["playerId"] for player in players}
    api.leave(room, victim)
    assert names_in(api, room) == [*SEVERAL_PLAYERS]


def test_a_token_is_good_for_its_own_room_alone(api: Api) -> None:
    room, _ = room_of_three(api)
    _, others = room_of_three(api)
    for player in others:
        assert api.leave(room, player["playerToken"]).code == "FORBIDDEN"
    assert names_in(api, room) == [*SEVERAL_PLAYERS]


def test_nobody_is_removed_by_the_host_or_anybody_else(api: Api) -> None:
    """There is no such request: a token leaves for itself."""
    room, (host, *_) = room_of_three(api)
    api.leave(room, host["playerToken"])
    assert names_in(api, room) == [*SEVERAL_PLAYERS[1:]]
    assert api.leave(room, host["playerToken"]).code == "FORBIDDEN"
