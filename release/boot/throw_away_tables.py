"""The tables of a template, empty, in a DynamoDB that ends with whoever asked for it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from imagecheck.errors import FailedError
from lambda_runtime.dynamodb_local import dynamodb_local
from lambda_runtime.variables import CREDENTIALS

# What decides how a table is read and written, and what DynamoDB Local takes.
_KEPT: Final = (
    "KeySchema",
    "AttributeDefinitions",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
)


@contextmanager
def throw_away_tables(tables: Mapping[str, Mapping[str, Any]], region: str) -> Iterator[str]:
    """Start DynamoDB Local with these tables (properties by logical id); yield its endpoint URL.

    They are seen by who signs with ``CREDENTIALS`` in this Region.

    Raises:
        FailedError: it does not start, or does not take a table.

    """
    with dynamodb_local() as endpoint_url:
        client: Any = boto3.client(
            "dynamodb",
            endpoint_url=endpoint_url,
            region_name=region,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=CREDENTIALS["AWS_SESSION_TOKEN"],
        )
        for logical_id, properties in tables.items():
            kept = {name: properties[name] for name in _KEPT if name in properties}
            try:
                client.create_table(
                    TableName=table_name(logical_id, properties),
                    BillingMode="PAY_PER_REQUEST",
                    **kept,
                )
            except (BotoCoreError, ClientError) as error:
                raise FailedError(
                    f"DynamoDB Local cannot create the table {logical_id}: {error}"
                ) from error
        yield endpoint_url


def table_name(logical_id: str, properties: Mapping[str, Any]) -> str:
    """Return what the table is called here: as it is when deployed, where that is known."""
    name = properties.get("TableName")
    return name if isinstance(name, str) else logical_id
