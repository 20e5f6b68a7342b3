"""What boto3 understands, the function's own client understands alike; what fails, fails alike."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import boto3
import msgspec
import pytest
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chaos.faults import FAULTS, NO_FAULT, Fault
from chaos.proxy import Injection, ProcessControl, Proxy
from lambda_src.rooms.transport import (
    CONNECT_TIMEOUT_S,
    READ_TIMEOUT_S,
    LostError,
    NotSentError,
)
from tests.support.rooms.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

    from lambda_src.rooms.dynamodb import DynamoDb

TEXTS = st.text(st.characters(codec="utf-8"), max_size=10)
NUMBERS = st.integers(-(10**30), 10**30).map(str)
BINARIES = st.binary(max_size=20)
VALUES: Any = st.recursive(
    st.one_of(
        TEXTS.map(lambda text: {"S": text}),
        NUMBERS.map(lambda number: {"N": number}),
        BINARIES.map(lambda binary: {"B": binary}),
        st.booleans().map(lambda value: {"BOOL": value}),
        st.just({"NULL": True}),
        st.lists(TEXTS, min_size=1, max_size=3, unique=True).map(lambda many: {"SS": many}),
        st.lists(NUMBERS, min_size=1, max_size=3, unique=True).map(lambda many: {"NS": many}),
        st.lists(BINARIES, min_size=1, max_size=3, unique=True).map(lambda many: {"BS": many}),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda many: {"L": many}),
        st.dictionaries(TEXTS.filter(bool), inner, max_size=3).map(lambda many: {"M": many}),
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("examples", [20, pytest.param(500, marks=pytest.mark.proof)])
def test_every_type_is_written_and_read_as_boto3_does(
    client: DynamoDBClient, own_client: DynamoDb, table: str, examples: int
) -> None:
    key: Any = {"roomId": {"S": "BCDFGH"}}

    @settings(max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(value=VALUES)
    def is_alike(value: Any) -> None:
        client.put_item(TableName=table, Item={**key, "value": value})
        theirs = client.get_item(TableName=table, Key=key)["Item"]
        own_client.request("PutItem", TableName=table, Item={**key, "value": value})
        assert client.get_item(TableName=table, Key=key)["Item"] == theirs
        assert own_client.request("GetItem", TableName=table, Key=key)["Item"] == theirs

    is_alike()


OK, REFUSED, NOT_SENT, LOST = "ok", "refused", "not sent", "lost"
Outcome = tuple[str, Any]

# A fault that ends or stops the process, or sets its clock, is none of a connection.
ON_THE_WAY: Final = [
    fault
    for fault in (NO_FAULT, *FAULTS)
    if not fault.ends_process and not fault.name.startswith(("frozen", "clock"))
]
# boto3 waits as long as a byte comes now and then.
ENDLESS: Final = ("dripped-body", "dripped-head")

BELIEVED_BY_BOTO3: Final = {
    "blank",
    "checksum-of-letters",
    "cut-after-head",
    "cut-in-body",
    "cut-in-headers",
    "cut-in-status-line",
    "empty-object",
    "flipped-bit-in-body",
    "flipped-bit-in-head",
    "forbidden-page",
    "html-page",
    "no-checksum",
    "other-json",
    "redirect",
    "shorter-than-it-is",
    "unavailable-page",
    "wrong-checksum",
}
"""Faults after which boto3 may return a success, or an error that DynamoDB has not."""


@contextmanager
def meeting(fault: Fault, endpoint: str) -> Iterator[Proxy]:
    """Run a proxy to the table that does this to every request."""
    control = ProcessControl(lambda: None, lambda _: None, lambda _: None)
    parts = urlsplit(endpoint)
    proxy = Proxy((parts.hostname or "", parts.port or 0), control)
    proxy.injection = Injection(fault, hits=None, rng=random.Random(0), epoch=time.monotonic())
    fault.before(proxy)
    try:
        yield proxy
    finally:
        proxy.injection.wait_until_quiet()
        fault.after(proxy)
        proxy.close()


def requests(table: str) -> dict[str, dict[str, Any]]:
    """One of each kind, whatever was done before: a read, a write, and one that is refused."""
    key = {"roomId": {"S": "BCDFGH"}}
    return {
        "GetItem": {"TableName": table, "Key": key, "ConsistentRead": True},
        "UpdateItem": {
            "TableName": table,
            "Key": key,
            "UpdateExpression": "SET note = :note",
            "ExpressionAttributeValues": {":note": {"S": "あ" * 20}},
            "ReturnValues": "ALL_NEW",
        },
        "PutItem": {
            "TableName": table,
            "Item": key,
            "ConditionExpression": "attribute_not_exists(roomId)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        },
    }


def ours(url: str, operation: str, arguments: dict[str, Any]) -> Outcome:
    wire = Wire(url, attempt_s=CONNECT_TIMEOUT_S + READ_TIMEOUT_S)
    try:
        answer = wire.send(operation, msgspec.json.encode(arguments))
    except NotSentError:
        return NOT_SENT, None
    except LostError:
        return LOST, None
    finally:
        wire.close_idle()
    if answer.code:
        return REFUSED, (answer.code, answer.status, answer.content.get("Item"))
    return OK, answer.content


def boto3s(url: str, operation: str, arguments: dict[str, Any]) -> Outcome:
    with _ONE_AT_A_TIME:
        client: Any = boto3.client(
            "dynamodb",
            endpoint_url=url,
            region_name="ap-northeast-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(
                connect_timeout=CONNECT_TIMEOUT_S,
                read_timeout=READ_TIMEOUT_S,
                retries={"mode": "standard", "total_max_attempts": 1},
            ),
        )
    methods: dict[str, Callable[..., Any]] = {
        "GetItem": client.get_item,
        "UpdateItem": client.update_item,
        "PutItem": client.put_item,
    }
    try:
        answer = methods[operation](**arguments)
    except (ConnectTimeoutError, EndpointConnectionError):
        return NOT_SENT, None
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        item: Any = error.response.get("Item")
        return REFUSED, (error.response["Error"]["Code"], status, item)
    except (BotoCoreError, *_TRIPS):
        return LOST, None
    finally:
        client.close()
    del answer["ResponseMetadata"]
    return OK, answer


# What its parser raises over an answer that is none.
_TRIPS: Final = (AttributeError, KeyError, TypeError, ValueError)
# Making clients is not thread-safe:
# https://docs.aws.amazon.com/boto3/latest/guide/clients.html#multithreading-or-multiprocessing-with-clients
_ONE_AT_A_TIME = threading.Lock()


@pytest.mark.proof
def test_each_fault_is_to_the_function_what_it_is_to_boto3_or_worse(
    client: DynamoDBClient, dynamodb_endpoint: str, table: str
) -> None:
    client.update_item(
        TableName=table,
        Key={"roomId": {"S": "BCDFGH"}},
        UpdateExpression="SET note = :note",
        ExpressionAttributeValues={":note": {"S": "あ" * 20}},
    )

    def both(fault: Fault) -> list[tuple[Outcome, Outcome]]:
        seen = []
        for operation, arguments in requests(table).items():
            with meeting(fault, dynamodb_endpoint) as proxy:
                own = ours(proxy.url, operation, arguments)
            if fault.name in ENDLESS:
                assert own[0] == LOST
                continue
            with meeting(fault, dynamodb_endpoint) as proxy:
                seen.append((own, boto3s(proxy.url, operation, arguments)))
        return seen

    with ThreadPoolExecutor(8) as pool:
        outcomes = dict(
            zip([fault.name for fault in ON_THE_WAY], pool.map(both, ON_THE_WAY), strict=True)
        )
    differ = {name for name, pairs in outcomes.items() if any(own != their for own, their in pairs)}
    assert differ <= BELIEVED_BY_BOTO3
    for name in differ:
        assert all(own in (their, (LOST, None)) for own, their in outcomes[name])
    assert [own[0] for own, _ in outcomes["none"]] == [OK, OK, REFUSED]
