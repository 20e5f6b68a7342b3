"""The limit on guesses, on a real table that several environments share."""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from lambda_src.rooms import guesses, router
from lambda_src.rooms.codes import ALPHABET
from lambda_src.rooms.dynamodb import DynamoDb
from lambda_src.rooms.errors import ErrorCode, RoomsError
from lambda_src.rooms.guesses import LIMIT, WINDOW_S, GuessLimit
from lambda_src.rooms.item import FORMAT
from lambda_src.rooms.service import Rooms
from lambda_src.rooms.store import RoomStore
from tests.lambda_src.rooms.conftest import CREATE, GET, JOIN, LEAVE, Answer, Api, Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from tests.support.rooms.wire import Wire

KEY = "the distribution's"
GUESSER, FRIEND = "192.0.2.66", "192.0.2.1"
STRANGER = "x" * 32


class Environment:
    """One environment of the function; ``address`` is whom API Gateway talks with."""

    def __init__(self, client: DynamoDb, table: str, clock: Clock) -> None:
        rooms = Rooms(RoomStore(client, table), now_ms=clock)
        limit = GuessLimit(client, table, key=KEY, now_ms=clock)
        self.api = Api(rooms, guesses=limit)

    def ask(self, route: str, room: str | None, address: str, **more: Any) -> Answer:
        context = {"apiId": "abc", "http": {"sourceIp": address}}
        return self.api(route, room=room, requestContext=context, **more)

    def get(self, room: str, address: str, created_at: int | None = None) -> Answer:
        headers = {} if created_at is None else {"x-room-created": str(created_at)}
        return self.ask(GET, room, address, headers=headers)

    def create(self, address: str) -> Answer:
        return self.ask(CREATE, None, address, body={"hostName": "ホスト"})

    def join(self, room: str, address: str) -> Answer:
        return self.ask(JOIN, room, address, body={"playerName": "ゲスト"})

    def leave(self, room: str, address: str, token: str) -> Answer:
        return self.ask(LEAVE, room, address, token=token)


NewEnvironment = Callable[[], Environment]


@pytest.fixture
def environment(own_client: DynamoDb, table: str, clock: Clock) -> Environment:
    return Environment(own_client, table, clock)


@pytest.fixture
def codes() -> Iterator[str]:
    """Codes of no room: a room's is random, so that none of a few hundred is among them."""
    return ("B" + "".join(rest) for rest in itertools.product(ALPHABET, repeat=5))


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> int:
    """A limit that is soon reached."""
    monkeypatch.setattr(guesses, "LIMIT", 5)
    return 5


@pytest.fixture
def requests(own_wire: Wire) -> list[str]:
    """The requests to DynamoDB."""
    return own_wire.sent


def guess(environment: Environment, codes: Iterator[str], tries: int) -> list[str]:
    return [environment.get(next(codes), GUESSER).code for _ in range(tries)]


@pytest.mark.proof
def test_a_day_of_one_client_tells_of_as_many_codes_as_the_limit_says(
    environment: Environment, codes: Iterator[str]
) -> None:
    told = guess(environment, codes, LIMIT + 10)
    assert told == ["NOT_FOUND"] * LIMIT + ["TOO_MANY_REQUESTS"] * 10


def test_one_client_needs_years_to_find_one_of_a_thousand_rooms() -> None:
    mean_tries = (len(ALPHABET) ** 6 + 1) / (1000 + 1)
    assert mean_tries / LIMIT * WINDOW_S / (365.25 * 24 * 3600) > 5


def test_above_the_limit_a_hit_is_refused_like_a_miss_and_without_a_look_up(
    environment: Environment, codes: Iterator[str], few: int, requests: list[str]
) -> None:
    room = environment.create(FRIEND).body["roomId"]
    guess(environment, codes, few)
    requests.clear()

    answers = [
        environment.get(room, GUESSER),
        environment.join(room, GUESSER),
        environment.get(next(codes), GUESSER),
        environment.join(next(codes), GUESSER),
    ]
    assert requests == []
    # A leave's token is looked at: it may be a player's.
    answers += [environment.leave(code, GUESSER, STRANGER) for code in (room, next(codes))]

    told = [(answer.status, answer.headers, answer.body) for answer in answers]
    assert told == [told[0]] * 6
    assert (answers[0].status, answers[0].code) == (429, "TOO_MANY_REQUESTS")
    assert len(environment.get(room, FRIEND).body["players"]) == 1


def test_above_the_limit_no_write_is_done_whatever_it_says_of_the_room(
    environment: Environment, codes: Iterator[str], few: int, requests: list[str]
) -> None:
    """A refused join that was done all the same would show itself by its leave."""
    created = environment.create(FRIEND).body
    room, born = created["roomId"], str(created["room"]["createdAt"])
    guess(environment, codes, few)
    requests.clear()
    for said in ("1", born):
        writes: dict[str, Any] = {"token": STRANGER, "headers": {"x-room-created": said}}
        for answer in (
            environment.ask(JOIN, room, GUESSER, body={"playerName": "ゲスト"}, **writes),
            environment.ask(CREATE, None, GUESSER, body={"hostName": "ホスト"}, **writes),
        ):
            assert answer.code == "TOO_MANY_REQUESTS"
    assert requests == []

    assert environment.leave(room, GUESSER, STRANGER).code == "TOO_MANY_REQUESTS"
    assert len(environment.get(room, FRIEND).body["players"]) == 1


def test_above_the_limit_a_room_that_cannot_be_read_is_refused_like_a_miss(
    environment: Environment,
    codes: Iterator[str],
    few: int,
    client: DynamoDBClient,
    table: str,
) -> None:
    """After a rollback there may be rooms that only a later version reads."""
    room = environment.create(FRIEND).body["roomId"]
    client.update_item(
        TableName=table,
        Key={"roomId": {"S": room}},
        UpdateExpression="SET #format = :later",
        ExpressionAttributeNames={"#format": "format"},
        ExpressionAttributeValues={":later": {"N": str(FORMAT + 1)}},
    )
    guess(environment, codes, few)
    assert environment.get(room, GUESSER, 1).code == "TOO_MANY_REQUESTS"
    assert environment.leave(room, GUESSER, STRANGER).code == "TOO_MANY_REQUESTS"


@pytest.mark.parametrize("way", ["get", "join", "leave", "create"])
def test_every_way_to_try_a_code_counts(
    environment: Environment, codes: Iterator[str], few: int, way: str
) -> None:
    """Also a create: its client can work out which codes came first, and so which are taken."""
    tries: dict[str, Callable[[], Answer]] = {
        "get": lambda: environment.get(next(codes), GUESSER),
        "join": lambda: environment.join(next(codes), GUESSER),
        "leave": lambda: environment.leave(next(codes), GUESSER, STRANGER),
        "create": lambda: environment.create(GUESSER),
    }
    told = [tries[way]().code for _ in range(few + 1)]
    assert told[:few] == [("OK" if way == "create" else "NOT_FOUND")] * few
    assert told[few] == "TOO_MANY_REQUESTS"


def test_what_reveals_nothing_of_a_code_is_not_counted(environment: Environment, few: int) -> None:
    room = environment.create(FRIEND).body["roomId"]
    for _ in range(few + 1):
        assert environment.get("no code", GUESSER).code == "NOT_FOUND"
        assert environment.ask(JOIN, room, GUESSER, body={}).code == "VALIDATION_ERROR"
        assert environment.get(room, GUESSER).code == "OK"
        assert environment.leave(room, GUESSER, STRANGER).code == "FORBIDDEN"
    assert environment.join(room, GUESSER).code == "OK"


def test_others_play_on_while_a_guesser_is_refused(
    environment: Environment, codes: Iterator[str], few: int
) -> None:
    guess(environment, codes, few + 1)
    room = environment.create(FRIEND).body["roomId"]
    assert environment.join(room, FRIEND).code == "OK"
    assert environment.get(next(codes), FRIEND).code == "NOT_FOUND"
    assert environment.get(room, GUESSER).code == "TOO_MANY_REQUESTS"


def test_who_has_a_seat_plays_on_behind_the_address_of_a_guesser(
    environment: Environment, codes: Iterator[str], few: int
) -> None:
    """One pupil must not be able to close the lobbies of a whole school."""
    created = environment.create(GUESSER).body
    room, born = created["roomId"], created["room"]["createdAt"]
    guess(environment, codes, few)

    assert environment.get(room, GUESSER).code == "TOO_MANY_REQUESTS"
    assert environment.get(room, GUESSER, born + 1).code == "TOO_MANY_REQUESTS"
    assert environment.get(next(codes), GUESSER, born).code == "TOO_MANY_REQUESTS"
    seen = environment.get(room, GUESSER, born)
    assert seen.body == created["room"]
    unchanged = environment.ask(
        GET,
        room,
        GUESSER,
        headers={"x-room-created": str(born), "if-none-match": seen.headers["etag"]},
    )
    assert unchanged.status == 304
    assert environment.leave(room, GUESSER, created["playerToken"]).code == "OK"


def test_a_refusal_says_when_the_next_day_begins(
    environment: Environment, codes: Iterator[str], clock: Clock, few: int
) -> None:
    guess(environment, codes, few)
    refused = environment.get(next(codes), GUESSER)
    wait_s = int(refused.headers["retry-after"])
    assert (clock.now_ms // 1000 + wait_s) % WINDOW_S == 0

    clock.pass_seconds(wait_s - 1)
    assert environment.get(next(codes), GUESSER).code == "TOO_MANY_REQUESTS"
    clock.pass_seconds(1)
    assert guess(environment, codes, few + 1) == ["NOT_FOUND"] * few + ["TOO_MANY_REQUESTS"]


@pytest.mark.proof
def test_environments_together_give_one_try_more_each_at_most(
    own_client: DynamoDb, table: str, clock: Clock, codes: Iterator[str], few: int
) -> None:
    """Each has met the guesser before the limit was reached, and hears of it with its next try."""
    ten = [Environment(own_client, table, clock) for _ in range(10)]
    for each in ten:
        each.api.guesses._knows(each.api.guesses._item_key(GUESSER, clock.now_ms // 1000))  # type: ignore[union-attr]
    told = [each.get(next(codes), GUESSER).code for _ in range(5) for each in ten]
    assert few <= told.count("NOT_FOUND") <= few + len(ten)
    assert told[-len(ten) :] == ["TOO_MANY_REQUESTS"] * len(ten)


def test_an_environment_that_starts_later_gives_none(
    own_client: DynamoDb, table: str, clock: Clock, codes: Iterator[str], few: int
) -> None:
    guess(Environment(own_client, table, clock), codes, few)
    for _ in range(3):
        late = Environment(own_client, table, clock)
        assert late.get(next(codes), GUESSER).code == "TOO_MANY_REQUESTS"


def test_who_plays_costs_one_small_read_for_each_environment_and_day(
    environment: Environment, requests: list[str]
) -> None:
    room = environment.create(FRIEND).body["roomId"]
    assert requests == ["GetItem", "PutItem", "UpdateItem"]
    requests.clear()
    environment.join(room, FRIEND)
    environment.get(room, FRIEND)
    assert requests == ["UpdateItem", "GetItem"]


def test_a_flood_above_the_limit_asks_the_table_nothing(
    environment: Environment, codes: Iterator[str], few: int, requests: list[str]
) -> None:
    guess(environment, codes, few)
    requests.clear()
    guess(environment, codes, 50)
    environment.create(GUESSER)
    assert requests == []


def test_the_item_is_no_rooms_names_no_address_and_expires_with_its_day(
    environment: Environment, client: DynamoDBClient, table: str, codes: Iterator[str], clock: Clock
) -> None:
    guess(environment, codes, 3)
    (item,) = client.scan(TableName=table)["Items"]
    assert {*item} == {"roomId", "tries", "expiresAt"}
    assert item["tries"] == {"N": "3"}
    assert GUESSER not in json.dumps(item)
    assert environment.get(item["roomId"]["S"], FRIEND).code == "NOT_FOUND"
    ends_s = int(item["expiresAt"]["N"])
    assert ends_s % WINDOW_S == 0
    assert 0 < ends_s - clock.now_ms // 1000 <= WINDOW_S


def test_hashes_of_addresses_differ_with_the_key(own_client: DynamoDb, table: str) -> None:
    names = {
        GuessLimit(own_client, table, key=key)._item_key(GUESSER, 0) for key in ("a", "b", "", "")
    }
    assert len(names) == 4


@pytest.mark.parametrize("failing", ["GetItem", "UpdateItem", "*"])
def test_a_table_that_cannot_count_refuses_nobody(
    *,
    environment: Environment,
    own_wire: Wire,
    codes: Iterator[str],
    few: int,
    caplog: pytest.LogCaptureFixture,
    failing: str,
) -> None:
    room = environment.create(FRIEND).body["roomId"]

    def fail(operation: str, body: bytes) -> None:
        if b"guesses#" in body and failing in {operation, "*"}:
            raise RoomsError(ErrorCode.UNAVAILABLE, cause="ThrottlingException")

    own_wire.before = fail
    assert guess(environment, codes, few + 1) == ["NOT_FOUND"] * (few + 1)
    assert environment.get(room, GUESSER).code == "OK"
    assert environment.create(GUESSER).code == "OK"
    told = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert {record.__dict__["cause"] for record in told} == {"ThrottlingException"}


@pytest.mark.proof
def test_an_environment_remembers_a_bounded_number_of_clients(
    environment: Environment, codes: Iterator[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guesses, "REMEMBERED", 3)
    for number in range(10):
        environment.get(next(codes), f"192.0.2.{number}")
    assert len(environment.api.guesses._tries) == 3  # type: ignore[union-attr]


def test_no_log_line_has_an_address(
    environment: Environment, codes: Iterator[str], few: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger=router.__name__)
    guess(environment, codes, few + 1)
    lines = [str(record.__dict__) for record in caplog.records]
    assert any("TOO_MANY_REQUESTS" in line for line in lines)
    assert not [line for line in lines if GUESSER in line]
