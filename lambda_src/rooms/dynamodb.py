"""Sends requests to DynamoDB in bounded time, and reports whether a write may have succeeded.

A write whose answer was lost may have been carried out; a refused one was not. The caller needs
this distinction before it repeats a write, and the SDK's own retries hide it.
"""

from __future__ import annotations

import random
import time
import zlib
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from .errors import ErrorCode, RoomsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

CONNECT_TIMEOUT_S: Final = 0.5
READ_TIMEOUT_S: Final = 1.0
MAX_ATTEMPTS: Final = 2
MAX_PAUSE_S: Final = 0.2
"""The longest wait between two attempts."""

WORST_REQUEST_S: Final = MAX_ATTEMPTS * (CONNECT_TIMEOUT_S + READ_TIMEOUT_S) + MAX_PAUSE_S
"""The longest time of a request, when the table does not answer, refuses or throttles."""

CLIENT_CONFIG: Final[Mapping[str, Any]] = {
    "connect_timeout": CONNECT_TIMEOUT_S,
    "read_timeout": READ_TIMEOUT_S,
    # Attempts are counted here.
    "retries": {"mode": "standard", "total_max_attempts": 1},
}
"""Arguments for ``botocore.config.Config``."""

# DynamoDB's errors when it is overloaded or has no such table; nothing was written then:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
_REFUSED: Final = frozenset(
    {
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ResourceInUseException",
        "ResourceNotFoundException",
        "ThrottlingException",
    }
)


class ConditionalCheckFailedError(Exception):
    """The condition of a write did not hold.

    Args:
        item: the item at that time; None if there was none.
        repeated: whether an earlier attempt at the same request may have been carried out.

    """

    def __init__(self, item: Mapping[str, Any] | None, *, repeated: bool) -> None:
        super().__init__()
        self.item = item
        self.repeated = repeated


class RequestError(Exception):
    """DynamoDB refuses a request, and a retry would not help. The text has operation and code.

    It replaces botocore's error, whose text can contain the answer, and so players' names.
    """


class _DamagedAnswerError(BotoCoreError):
    """The answer was damaged on the way."""


def refuse_damaged_answers(client: DynamoDBClient) -> None:
    """Verify the checksum of each answer, which botocore does only for its own retries."""
    client.meta.events.register("after-call.dynamodb", _require_undamaged)


def _require_undamaged(http_response: Any, **_: object) -> None:
    checksum = http_response.headers.get("x-amz-crc32")
    if checksum is not None and int(checksum) != zlib.crc32(http_response.content):
        raise _DamagedAnswerError


def send(operation: Callable[..., Any], **arguments: object) -> Any:
    """Call an operation of a client, and once more if the first attempt fails.

    Raises:
        ConditionalCheckFailedError: the condition of the write did not hold.
        RoomsError: ``UNAVAILABLE``; ``uncertain`` if one of the attempts may have been carried out.
        RequestError: the request is wrong, or not allowed.

    """
    uncertain = False
    cause = ""
    for attempt in range(MAX_ATTEMPTS):
        if attempt:
            time.sleep(random.uniform(0, MAX_PAUSE_S))  # noqa: S311  # nobody gains by guessing it
        try:
            return operation(**arguments)
        except ParamValidationError:
            raise RequestError(f"{operation.__name__}: ParamValidationError") from None
        except BotoCoreError as error:
            cause = type(error).__name__
            uncertain = True
        except ClientError as error:
            cause = error.response["Error"]["Code"]
            if cause == "ConditionalCheckFailedException":
                item: Any = error.response.get("Item")
                raise ConditionalCheckFailedError(item, repeated=uncertain) from None
            if cause in _REFUSED:
                continue
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            # botocore gives the status for a code when it cannot read the answer.
            if status < 500 and not cause.isdigit():  # noqa: PLR2004
                raise RequestError(f"{operation.__name__}: {cause}") from None
            uncertain = True
    raise RoomsError(ErrorCode.UNAVAILABLE, cause=cause, uncertain=uncertain)
