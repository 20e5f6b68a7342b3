"""AWS's DynamoDB Local starts, is empty, and never outlives who started it."""

import socket
from contextlib import suppress
from pathlib import Path

import boto3
import pytest

from lambda_runtime import dynamodb_local as module
from lambda_runtime.dynamodb_local import (
    DynamoDbLocalError,
    dynamodb_local,
    starting_dynamodb_local,
)
from tests.support.processes import child_processes


@pytest.mark.parametrize("ends_badly", [False, True])
def test_it_answers_and_ends_with_its_block(ends_badly: bool) -> None:
    class BadEndError(Exception):
        pass

    before = child_processes()
    with suppress(BadEndError), dynamodb_local() as endpoint_url:
        client = boto3.client(
            "dynamodb",
            endpoint_url=endpoint_url,
            region_name="ap-northeast-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )
        assert client.list_tables()["TableNames"] == []
        assert len(child_processes() - before) == 1
        if ends_badly:
            raise BadEndError
    assert child_processes() <= before


@pytest.mark.proof
def test_starting_it_does_not_wait_and_every_region_and_key_has_the_same_tables() -> None:
    with starting_dynamodb_local() as endpoint:
        found: list[list[str]] = []
        for region, key in (("ap-northeast-1", "one"), ("us-east-1", "another")):
            client = boto3.client(
                "dynamodb",
                endpoint_url=endpoint(),
                region_name=region,
                aws_access_key_id=key,
                aws_secret_access_key="local",
            )
            if not found:
                client.create_table(
                    TableName="rooms",
                    KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                    AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                    BillingMode="PAY_PER_REQUEST",
                )
            found.append(client.list_tables()["TableNames"])
    assert found == [["rooms"], ["rooms"]]


def test_a_process_that_ends_before_it_answers_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "JAVA", "/bin/false")
    with (
        starting_dynamodb_local() as endpoint,
        pytest.raises(DynamoDbLocalError, match="ended with status 1"),
    ):
        endpoint()


def test_a_port_that_is_taken_is_left_to_its_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as owner:
        port = owner.getsockname()[1]
        monkeypatch.setattr(module, "_PORTS", range(port, port + 1))
        said = f"^no port from {port} to {port} is free$"
        with pytest.raises(DynamoDbLocalError, match=said), dynamodb_local():
            pass


def test_a_missing_jar_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EMULATOR", tmp_path)
    with pytest.raises(DynamoDbLocalError, match="is missing") as error, dynamodb_local():
        pass
    assert error.value.hint == "make setup"
