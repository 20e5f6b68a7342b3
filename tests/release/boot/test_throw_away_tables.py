"""Tables for one boot."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest

from imagecheck.errors import FailedError
from lambda_runtime.dynamodb_local import DynamoDbLocalError
from lambda_runtime.variables import CREDENTIALS
from release.boot.throw_away_tables import throw_away_tables

TABLE = {
    "TableName": "rooms",
    "KeySchema": [{"AttributeName": "roomId", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "roomId", "AttributeType": "S"}],
    "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
}


def tables(endpoint_url: str, region: str) -> list[str]:
    keys: dict[str, Any] = {name.lower(): value for name, value in CREDENTIALS.items()}
    session: Any = boto3.Session(region_name=region, **keys)
    client = session.client("dynamodb", endpoint_url=endpoint_url)
    names: list[str] = client.list_tables()["TableNames"]
    return names


@pytest.mark.proof
def test_tables_are_made_where_the_function_looks_for_them() -> None:
    unnamed = {**TABLE, "TableName": {"Fn::Sub": "${AWS::StackName}-rooms"}}
    with throw_away_tables({"Table": TABLE, "Other": unnamed}, "eu-west-1") as endpoint_url:
        assert tables(endpoint_url, "eu-west-1") == ["Other", "rooms"]


def test_what_cannot_be_made_is_said(
    dynamodb_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def there() -> Iterator[str]:
        yield dynamodb_endpoint

    @contextmanager
    def not_there() -> Iterator[str]:
        raise DynamoDbLocalError("DynamoDBLocal.jar is missing", hint="make setup")
        yield

    monkeypatch.setattr("release.boot.throw_away_tables.dynamodb_local", there)
    for broken in ({}, {**TABLE, "KeySchema": []}, {**TABLE, "TableName": "no"}):
        with (
            pytest.raises(FailedError, match="cannot create the table Table: "),
            throw_away_tables({"Table": broken}, "eu-west-1"),
        ):
            pass
    monkeypatch.setattr("release.boot.throw_away_tables.dynamodb_local", not_there)
    with (
        pytest.raises(FailedError, match="is missing") as missing,
        throw_away_tables({}, "eu-west-1"),
    ):
        pass
    assert missing.value.hint == "make setup"
