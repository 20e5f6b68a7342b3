"""The emulated account under many requests at once."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from tests.local.conftest import Client
from tests.support.local.emulated_functions import ROLE, deploy, function, invoke

SEATS = 5
FRIENDS = 200


@pytest.fixture
def threads_that_take_turns_often() -> Iterator[None]:
    """Else a whole request of moto's mostly fits into one turn."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.proof
@pytest.mark.usefixtures("threads_that_take_turns_often")
def test_two_hundred_joins_at_once_never_over_fill_a_room(aws: Client) -> None:
    dynamodb = aws("dynamodb")
    dynamodb.create_table(
        TableName="rooms",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    key = {"id": {"S": "room"}}
    dynamodb.put_item(TableName="rooms", Item={**key, "players": {"M": {}}, "count": {"N": "0"}})

    def join(number: int) -> bool:
        try:
            dynamodb.update_item(
                TableName="rooms",
                Key=key,
                UpdateExpression="SET players.#p = :p, #c = #c + :one",
                ConditionExpression="size(players) < :seats",
                ExpressionAttributeNames={"#p": f"p{number}", "#c": "count"},
                ExpressionAttributeValues={
                    ":p": {"S": "x"},
                    ":one": {"N": "1"},
                    ":seats": {"N": str(SEATS)},
                },
            )
        except ClientError as refusal:
            assert refusal.response["Error"]["Code"] == "ConditionalCheckFailedException"
            return False
        return True

    with ThreadPoolExecutor(32) as friends:
        joined = list(friends.map(join, range(FRIENDS)))
    room = dynamodb.get_item(TableName="rooms", Key=key)["Item"]
    assert sum(joined) == len(room["players"]["M"]) == int(room["count"]["N"]) == SEATS


@pytest.mark.proof
def test_functions_that_call_functions_do_not_wait_for_each_other_for_ever(aws: Client) -> None:
    inner = "def handler(event, context):\n    return event + 1"
    outer = """
        import json

        import boto3

        def handler(event, context):
            answer = boto3.client("lambda").invoke(FunctionName="inner", Payload=json.dumps(event))
            return json.loads(answer["Payload"].read()) * 10
    """
    functions = {
        "Role": ROLE,
        "Inner": function(aws, inner, name="inner"),
        "Outer": function(aws, outer, name="outer", Timeout=30),
    }
    deploy(aws, functions)
    with ThreadPoolExecutor(4) as callers:
        answers = list(callers.map(lambda n: invoke(aws, "outer", n), range(8)))
    assert answers == [10 * (n + 1) for n in range(8)]
