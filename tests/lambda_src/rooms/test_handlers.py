"""The contract on the wire, route by route."""

import re

import pytest

from lambda_src.rooms import tokens
from tests.lambda_src.rooms.conftest import GET, Api, Clock

DAY_S = 24 * 60 * 60


def test_create_answers_with_the_room_and_the_hosts_credential(api: Api, clock: Clock) -> None:
    answer = api.create("テストホスト")

    assert answer.status == 200
    assert re.fullmatch("[BCDFGHJKMNPQRSTVWXZ23456789]{6}", answer.body["roomId"])
    assert re.fullmatch("[a-f0-9]{32}", answer.body["hostId"])
    assert tokens.is_well_formed(answer.body["playerToken"])
    assert answer.body["playerId"] == answer.body["hostId"]
    assert answer.body["room"] == {
        "roomId": answer.body["roomId"],
        "hostId": answer.body["hostId"],
        "players": [
            {"playerId": answer.body["hostId"], "name": "テストホスト", "joinedAt": clock.now_ms}
        ],
        "status": "waiting",
        "maxPlayers": 5,
        "createdAt": clock.now_ms,
        "expiresAt": clock.now_ms + DAY_S * 1000,
        "version": 1,
    }


def test_get_answers_with_the_room_alone(api: Api) -> None:
    created = api.create()
    answer = api.get(created.body["roomId"])
    assert (answer.status, answer.body) == (200, created.body["room"])


def test_join_answers_with_the_seat_and_the_room_as_it_is_now(api: Api) -> None:
    created = api.create("ホスト")
    answer = api.join(created.body["roomId"], "ゲスト")

    assert answer.status == 200
    assert set(answer.body) == {"playerId", "playerToken", "room"}
    assert [player["name"] for player in answer.body["room"]["players"]] == ["ホスト", "ゲスト"]
    assert answer.body["room"]["players"][1]["playerId"] == answer.body["playerId"]
    assert answer.body["room"]["hostId"] == created.body["hostId"]
    assert answer.body["room"]["version"] == 2


def test_players_stand_in_the_order_in_which_they_joined_whatever_the_clocks_say(
    api: Api, clock: Clock
) -> None:
    room = api.create("1").body["roomId"]
    for name in "2345":
        clock.now_ms -= 1000
        last = api.join(room, name)
    assert [player["name"] for player in last.body["room"]["players"]] == list("12345")


def test_leave_answers_with_the_room_without_the_player(api: Api) -> None:
    room = api.create("ホスト").body["roomId"]
    guest = api.join(room, "ゲスト").body

    answer = api.leave(room, guest["playerToken"])

    assert answer.status == 200
    assert answer.body["message"] == "Successfully left the room"
    assert [player["name"] for player in answer.body["room"]["players"]] == ["ホスト"]
    assert answer.body["room"] == api.get(room).body


def test_when_the_host_leaves_the_next_one_is_host(api: Api) -> None:
    host = api.create("1").body
    second = api.join(host["roomId"], "2").body
    api.join(host["roomId"], "3")

    left = api.leave(host["roomId"], host["playerToken"])

    assert left.body["room"]["hostId"] == second["playerId"]


def test_when_the_last_player_leaves_the_room_is_gone(api: Api) -> None:
    host = api.create().body
    answer = api.leave(host["roomId"], host["playerToken"])
    assert (answer.status, answer.body["room"]) == (200, None)
    assert api.get(host["roomId"]).code == "NOT_FOUND"


def test_a_player_who_left_may_come_back_and_is_last_in_line(api: Api) -> None:
    host = api.create("1").body
    api.join(host["roomId"], "2")
    api.leave(host["roomId"], host["playerToken"])
    back = api.join(host["roomId"], "1", token=host["playerToken"])
    assert [player["name"] for player in back.body["room"]["players"]] == ["2", "1"]
    assert back.body["room"]["hostId"] != host["hostId"]


def test_the_sixth_is_told_that_the_room_is_full(api: Api) -> None:
    room = api.create().body["roomId"]
    for _ in range(4):
        assert api.join(room).status == 200
    answer = api.join(room)
    assert (answer.status, answer.code) == (409, "ROOM_FULL")
    assert answer.body["error"]["details"] == {"currentPlayers": 5, "maxPlayers": 5}
    assert "満員" in answer.body["error"]["message"]


@pytest.mark.parametrize("status", ["playing", "finished"])
def test_nobody_joins_a_room_that_is_not_waiting_however_full_it_is(
    api: Api, client: object, table: str, status: str
) -> None:
    room = api.create().body["roomId"]
    for _ in range(4):
        api.join(room)
    client.update_item(  # type: ignore[attr-defined]
        TableName=table,
        Key={"roomId": {"S": room}},
        UpdateExpression="SET #s = :s",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":s": {"S": status}},
    )
    answer = api.join(room)
    assert (answer.status, answer.code) == (409, "ROOM_NOT_JOINABLE")
    assert api.get(room).body["status"] == status


def test_a_room_that_does_not_exist_is_not_found_by_any_route(api: Api, token: str) -> None:
    for answer in (api.get("BCDFGH"), api.join("BCDFGH"), api.leave("BCDFGH", token)):
        assert (answer.status, answer.code) == (404, "NOT_FOUND")
        assert answer.body["error"]["message"] == "Room not found: BCDFGH"


@pytest.mark.parametrize("typed", ["x" * 5000, "\ud800", "\u202e\u0000", ""])
def test_what_cannot_be_a_code_is_not_found_and_not_repeated(api: Api, typed: str) -> None:
    answer = api.get(typed)
    assert answer.code == "NOT_FOUND"
    assert answer.body["error"]["message"] == "Room not found"


def test_a_code_is_found_however_it_is_typed(api: Api) -> None:
    room = api.create().body["roomId"]
    full_width = "".join(chr(ord(character) + 0xFEE0) for character in room)
    for typed in (room.lower(), f"{room[:3]}-{room[3:]}", full_width, f" {room} "):
        assert api.get(typed).body["roomId"] == room
        assert api.join(typed).status == 200


def test_leave_takes_a_token_of_somebody_in_this_room(api: Api, token: str) -> None:
    room = api.create().body
    other = api.create().body
    for stranger in (token, other["playerToken"]):
        answer = api.leave(room["roomId"], stranger)
        assert (answer.status, answer.code) == (403, "FORBIDDEN")
    assert len(api.get(room["roomId"]).body["players"]) == 1


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Bearer short", "Basic " + "a" * 40, "a" * 40]
    + ["Bearer " + "a" * 40 + " x", "Bearer " + "é" * 40],
)
def test_leave_without_a_well_formed_token_is_unauthorized(
    api: Api, authorization: str | None
) -> None:
    room = api.create().body["roomId"]
    headers = {} if authorization is None else {"authorization": authorization}
    answer = api("DELETE /rooms/{roomId}/leave", room=room, headers=headers)
    assert (answer.status, answer.code) == (401, "UNAUTHORIZED")


def test_the_scheme_is_case_insensitive(api: Api) -> None:
    host = api.create().body
    answer = api(
        "DELETE /rooms/{roomId}/leave",
        room=host["roomId"],
        headers={"authorization": f"bEARER  {host['playerToken']} "},
    )
    assert answer.status == 200


def test_a_malformed_token_on_create_or_join_takes_no_seat(api: Api) -> None:
    room = api.create().body["roomId"]
    assert api.create(token="short").code == "UNAUTHORIZED"
    assert api.join(room, token="short").code == "UNAUTHORIZED"
    assert len(api.get(room).body["players"]) == 1


def test_a_room_is_over_when_its_time_is_up_even_if_its_item_is_still_there(
    api: Api, clock: Clock
) -> None:
    host = api.create().body
    clock.pass_seconds(DAY_S - 1)
    assert api.get(host["roomId"]).status == 200
    clock.pass_seconds(1)
    for answer in (
        api.get(host["roomId"]),
        api.join(host["roomId"]),
        api.join(host["roomId"], token=host["playerToken"]),
        api.leave(host["roomId"], host["playerToken"]),
    ):
        assert answer.code == "NOT_FOUND"


def test_a_join_gives_the_room_another_day_and_nothing_else_does(api: Api, clock: Clock) -> None:
    host = api.create().body
    clock.pass_seconds(3600)
    assert api.get(host["roomId"]).body["expiresAt"] == host["room"]["expiresAt"]
    joined = api.join(host["roomId"]).body
    assert joined["room"]["expiresAt"] == clock.now_ms + DAY_S * 1000
    clock.pass_seconds(60)
    left = api.leave(host["roomId"], joined["playerToken"])
    assert left.body["room"]["expiresAt"] == joined["room"]["expiresAt"]


def test_the_code_of_an_expired_room_is_taken_again(api: Api, clock: Clock, token: str) -> None:
    first = api.create("前", token=token).body
    api.join(first["roomId"])
    clock.pass_seconds(DAY_S * 2)
    again = api.create("後", token=token).body
    assert again["roomId"] == first["roomId"]
    assert [player["name"] for player in again["room"]["players"]] == ["後"]


def test_the_etag_changes_with_the_room_and_saves_the_body_while_it_does_not(api: Api) -> None:
    room = api.create().body["roomId"]
    etag = api.get(room).headers["etag"]

    unchanged = api(GET, room=room, headers={"if-none-match": etag})
    assert (unchanged.status, unchanged.body, unchanged.headers["etag"]) == (304, None, etag)

    api.join(room)
    changed = api(GET, room=room, headers={"if-none-match": etag})
    assert changed.status == 200
    assert changed.headers["etag"] != etag


@pytest.mark.parametrize("pattern", ["W/{}", '"other", {}', '"other",W/{}', "*"])
def test_if_none_match_is_read_as_the_rfc_wants(api: Api, pattern: str) -> None:
    room = api.create().body["roomId"]
    etag = api.get(room).headers["etag"]
    assert api(GET, room=room, headers={"if-none-match": pattern.format(etag)}).status == 304


def test_the_etag_of_an_expired_room_does_not_match_the_next_room_of_that_code(
    api: Api, clock: Clock, token: str
) -> None:
    room = api.create(token=token).body["roomId"]
    etag = api.get(room).headers["etag"]
    clock.pass_seconds(DAY_S * 2)
    assert api.create(token=token).body["roomId"] == room
    assert api(GET, room=room, headers={"if-none-match": etag}).status == 200


def test_answers_with_a_token_are_not_stored_and_a_room_is_asked_for_again(api: Api) -> None:
    created = api.create()
    room = created.body["roomId"]
    assert created.headers["cache-control"] == "no-store"
    assert api.join(room).headers["cache-control"] == "no-store"
    assert api.get(room).headers["cache-control"] == "no-cache"


def test_names_are_cleaned_and_stored_as_they_are_shown(api: Api) -> None:
    room = api.create("\u3000か\u3099く\u200b ").body["room"]
    assert room["players"][0]["name"] == "がく"
    assert api.get(room["roomId"]).body["players"][0]["name"] == "がく"


def test_two_players_may_have_one_name(api: Api) -> None:
    room = api.create("山").body["roomId"]
    assert len(api.join(room, "山").body["room"]["players"]) == 2
