"""A stage that is open through its page only, and the limit on guesses, on the whole system."""

import secrets
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

from config.names import StageNames
from lambda_src.rooms.client import Entrance
from lambda_src.rooms.codes import ALPHABET, LENGTH
from lambda_src.rooms.dynamodb import DynamoDb
from lambda_src.rooms.guesses import LIMIT, WINDOW_S, GuessLimit
from local.deployed import read_api
from local.emulated_aws.server import ACCOUNT_ID
from local.gateway import reserve_port, serving
from local.progress import SilentProgress
from local.system import System
from tests.support.rooms.wire import Wire

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.proof]

NAMES = StageNames("local")
GUESSER = "127.0.0.2"


def ask(
    base: str, method: str, path: str, *, source: str = "127.0.0.1", **options: Any
) -> urllib3.BaseHTTPResponse:
    """Send a request from one of the addresses that a loopback interface has."""
    with urllib3.PoolManager(source_address=(source, 0), retries=False) as pool:
        return pool.request(method, base + path, **options)


def code_of(answer: urllib3.BaseHTTPResponse) -> str:
    return "OK" if answer.status < 400 else str(answer.json()["error"]["code"])


def key_of_stage(aws: Any) -> str:
    found = aws("lambda").get_function(FunctionName=NAMES.function)["Configuration"]
    return str(found["Environment"]["Variables"]["DISTRIBUTION_KEYS"])


@pytest.fixture
def api_url(aws: Any) -> Iterator[str]:
    """The API's own address, at which anybody could ask it at AWS."""
    gateway = aws("apigatewayv2")
    (api,) = gateway.get_apis()["Items"]
    deployed = read_api(gateway, api["ApiId"], account_id=ACCOUNT_ID)

    def invoke(arn: str, event: bytes) -> bytes:
        return bytes(aws("lambda").invoke(FunctionName=arn, Payload=event)["Payload"].read())

    with serving(
        lambda: deployed, invoke, listener=reserve_port(0), progress=SilentProgress()
    ) as url:
        yield url


def test_the_page_plays_and_the_apis_own_address_answers_nobody(
    system: System, api_url: str, aws: Any
) -> None:
    body = {"hostName": "ひま"}
    created = ask(system.url, "POST", "/rooms", json=body).json()
    room = f"/rooms/{created['roomId']}"
    assert ask(system.url, "GET", room).status == 200

    for headers in ({}, {"X-Distribution-Key": "a guess"}, {"X-Forwarded-For": "127.0.0.1"}):
        for method, path in (("GET", room), ("POST", "/rooms")):
            refused = ask(api_url, method, path, headers=headers, json=body)
            assert (refused.status, code_of(refused)) == (403, "DIRECT_ACCESS")
    assert (
        ask(api_url, "GET", room, headers={"X-Distribution-Key": key_of_stage(aws)}).status == 200
    )


def test_a_viewer_cannot_send_a_key_of_its_own(system: System) -> None:
    body = {"hostName": "ひま"}
    headers = {"X-Distribution-Key": "a viewer's"}
    assert ask(system.url, "POST", "/rooms", json=body, headers=headers).status == 200


def test_a_guesser_is_refused_while_another_address_plays_on(system: System, aws: Any) -> None:
    created = ask(system.url, "POST", "/rooms", json={"hostName": "ひま"}).json()
    room = f"/rooms/{created['roomId']}"
    _tried(aws, GUESSER, LIMIT - 3)

    guesses = [ask(system.url, "GET", f"/rooms/{code}", source=GUESSER) for code in _codes(5)]
    assert [code_of(each) for each in guesses] == ["NOT_FOUND"] * 3 + ["TOO_MANY_REQUESTS"] * 2
    assert 0 < int(guesses[-1].headers["retry-after"]) <= WINDOW_S
    hit = ask(system.url, "GET", room, source=GUESSER)
    forged = ask(
        system.url,
        "POST",
        f"{room}/join",
        source=GUESSER,
        json={"playerName": "x"},
        headers={"X-Forwarded-For": "127.0.0.9"},
    )
    assert (code_of(hit), code_of(forged)) == ("TOO_MANY_REQUESTS", "TOO_MANY_REQUESTS")

    joined = ask(system.url, "POST", f"{room}/join", json={"playerName": "友だち"})
    assert joined.status == 200
    known = {"X-Room-Created": str(created["room"]["createdAt"])}
    assert ask(system.url, "GET", room, source=GUESSER, headers=known).status == 200
    assert GUESSER not in system.function_log.read_text()


def _codes(count: int) -> list[str]:
    return ["".join(secrets.choice(ALPHABET) for _ in range(LENGTH)) for _ in range(count)]


def _tried(aws: Any, address: str, tries: int) -> None:
    """Let a client have tried so many codes today."""
    table = aws("dynamodb")
    key = key_of_stage(aws)
    event = {"requestContext": {"apiId": "a", "http": {"sourceIp": address}}}
    network = Entrance(keys=(key,)).admit(event)
    assert network
    limit = GuessLimit(DynamoDb(Wire(table.meta.endpoint_url)), NAMES.table, key=key)
    now_s = limit._now_ms() // 1000
    table.put_item(
        TableName=NAMES.table,
        Item={
            "roomId": {"S": limit._item_key(network, now_s)},
            "tries": {"N": str(tries)},
            "expiresAt": {"N": str(now_s + WINDOW_S)},
        },
    )
