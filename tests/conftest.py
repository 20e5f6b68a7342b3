"""What tests of several folders share."""

from collections.abc import Iterator

import pytest

from local.dynamodb_local import dynamodb_local


@pytest.fixture(scope="session")
def dynamodb_endpoint() -> Iterator[str]:
    """The URL of a DynamoDB Local that this test process has to itself."""
    with dynamodb_local() as endpoint:
        yield endpoint
