"""boto3 clients for tests: each is made once, since that takes longer than a test."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3
from botocore.stub import Stubber

REGION = "ap-northeast-1"


@cache
def client_of(service: str) -> Any:
    """Return a client; moto answers it wherever it was made."""
    session: Any = boto3.Session(
        aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION
    )
    return session.client(service)


@contextmanager
def stubbed(service: str) -> Iterator[tuple[Any, Stubber]]:
    """Give a client that answers what it is told, and see that all of it was asked for."""
    client = client_of(service)
    with Stubber(client) as stubber:
        yield client, stubber
        stubber.assert_no_pending_responses()
