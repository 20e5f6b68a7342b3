"""Sends requests to DynamoDB in bounded time, and reports whether a write may have succeeded.

A write whose answer was lost may have been carried out; a refused one was not. The caller needs
this distinction before it repeats a write, and the SDK's own retries hide it.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ParamValidationError,
    SSLError,
)

from .answer import DamagedAnswerError
from .errors import ErrorCode, RoomsError
from .transport import has_sent, is_distrusted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CONNECT_TIMEOUT_S: Final = 0.5
READ_TIMEOUT_S: Final = 1.0
MAX_ATTEMPTS: Final = 2
MAX_PAUSE_S: Final = 0.2
"""The longest wait between two attempts."""

WORST_REQUEST_S: Final = MAX_ATTEMPTS * (CONNECT_TIMEOUT_S + READ_TIMEOUT_S) + MAX_PAUSE_S
"""The longest time of a request, whatever the table does or does not do. ``transport`` sees to it
that an attempt takes no longer than the two timeouts together, to its last byte."""

CLIENT_CONFIG: Final[Mapping[str, Any]] = {
    "connect_timeout": CONNECT_TIMEOUT_S,
    "read_timeout": READ_TIMEOUT_S,
    # Attempts are counted here.
    "retries": {"mode": "standard", "total_max_attempts": 1},
}
"""Arguments for ``botocore.config.Config``."""

_SERVER_ERROR: Final = 500

# Errors of 4xx that a repetition does not change: the role lacks a permission, or the request is
# wrong. The lists of DynamoDB and of all services:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/CommonErrors.html
# Any other 4xx passes, and nothing was written: throttling, a conflict with a transaction, a clock
# that is wrong (InvalidSignatureException, RequestExpired), credentials that are not known
# everywhere yet (UnrecognizedClientException), and what AWS will think of next. Two of them pass
# for a player who repeats the request later. ResourceNotFoundException: the table is being made or
# restored. ExpiredTokenException: botocore reads credentials from the environment once and Lambda
# never changes them there, so this environment has none left, but the next request may meet
# another one.
_LASTING: Final = frozenset(
    {
        "AccessDeniedException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "MalformedHttpRequestException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "NotAuthorized",
        "OptInRequired",
        "RequestEntityTooLargeException",
        "SerializationException",
        "UnknownOperationException",
        "ValidationError",
        "ValidationException",
    }
)

# Nothing was sent when no connection was made.
_NOT_SENT: Final = (ConnectTimeoutError, EndpointConnectionError, SSLError)


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


def send(operation: Callable[..., Any], **arguments: object) -> Any:
    """Call an operation of a client, and once more if the first attempt fails.

    What fails once a request was on its way is uncertain, whoever fails: the connection, or
    botocore where it reads the answer.

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
        has_sent.set(False)
        try:
            answer = operation(**arguments)
            _require_complete(answer, arguments)
        except ParamValidationError:
            raise RequestError(f"{operation.__name__}: ParamValidationError") from None
        except DamagedAnswerError as error:
            cause = str(error)
            uncertain = True
        except BotoCoreError as error:
            cause = type(error).__name__
            uncertain = uncertain or not isinstance(error, _NOT_SENT)
        except ClientError as error:
            cause = error.response["Error"]["Code"]
            if cause == "ConditionalCheckFailedException":
                item: Any = error.response.get("Item")
                raise ConditionalCheckFailedError(item, repeated=uncertain) from None
            metadata = error.response.get("ResponseMetadata", {})
            if metadata.get("HTTPStatusCode", 0) >= _SERVER_ERROR:
                uncertain = True
            elif cause in _LASTING:
                raise RequestError(f"{operation.__name__}: {cause}") from None
        except Exception as error:
            if not has_sent.get():
                raise  # a fault of this program
            cause = type(error).__name__
            uncertain = True
        else:
            return answer
        is_distrusted.set(True)
    raise RoomsError(ErrorCode.UNAVAILABLE, cause=cause, uncertain=uncertain)


def _require_complete(answer: Mapping[str, Any], arguments: Mapping[str, object]) -> None:
    if "ReturnValues" in arguments and not answer.get("Attributes"):
        raise DamagedAnswerError(status=200, fault="no attributes")
