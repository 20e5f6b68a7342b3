"""Sends requests to DynamoDB in bounded time, and reports whether a write may have succeeded.

A write whose answer was lost may have been carried out; a refused one was not. The caller needs
this distinction before it repeats a write, and retries below it would hide it.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Final

import msgspec

from .errors import ErrorCode, RoomsError
from .transport import CONNECT_TIMEOUT_S, READ_TIMEOUT_S, LostError, NotSentError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .answer import Answer, Content, Item
    from .transport import Transport

MAX_ATTEMPTS: Final = 2
MAX_PAUSE_S: Final = 0.2
"""The longest wait between two attempts."""

WORST_REQUEST_S: Final = MAX_ATTEMPTS * (CONNECT_TIMEOUT_S + READ_TIMEOUT_S) + MAX_PAUSE_S
"""The longest time of a request, whatever the table does or does not do."""

_REFUSED: Final = 400
_SERVER_ERROR: Final = 500

# Errors of 4xx that a repetition does not change: the role lacks a permission, or the request is
# wrong. The lists of DynamoDB and of all services:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/CommonErrors.html
# Any other 4xx passes, and nothing was written: throttling, a conflict with a transaction, a clock
# that is wrong (InvalidSignatureException, RequestExpired), credentials that are not known
# everywhere yet (UnrecognizedClientException), and what AWS will think of next. Two of them pass
# for a player who repeats the request later. ResourceNotFoundException: the table is being made or
# restored. ExpiredTokenException: Lambda never changes the credentials of a running environment, so
# this one has none left, but the next request may meet another one.
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


class ConditionalCheckFailedError(Exception):
    """The condition of a write did not hold.

    Args:
        item: the item at that time; None if there was none.
        repeated: whether an earlier attempt at the same request may have been carried out.

    """

    def __init__(self, item: Item | None, *, repeated: bool) -> None:
        super().__init__()
        self.item = item
        self.repeated = repeated


class RequestError(Exception):
    """DynamoDB refuses a request, and a retry would not help. The text has operation and code.

    DynamoDB's own text can contain the item, and so players' names.
    """


class DynamoDb:
    """The operations of DynamoDB, each in bounded time.

    Args:
        transport: how requests get there.

    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def request(self, operation: str, **arguments: object) -> Content:
        """Send a request, and once more if the first attempt fails.

        What fails once a request was on its way is uncertain.

        Args:
            operation: its name in DynamoDB's API, such as ``GetItem``.
            arguments: as DynamoDB's API names them; binary values are ``bytes``.

        Raises:
            ConditionalCheckFailedError: the condition of the write did not hold.
            RoomsError: ``UNAVAILABLE``; ``uncertain`` if one of the attempts may have been carried
                out.
            RequestError: the request is wrong, or not allowed, and was not carried out.

        """
        body = msgspec.json.encode(arguments)
        uncertain = False
        cause = ""
        for attempt in range(MAX_ATTEMPTS):
            if attempt:
                time.sleep(random.uniform(0, MAX_PAUSE_S))  # noqa: S311  # nobody gains by guessing it
            try:
                answer = self._transport.send(operation, body)
            except NotSentError as error:
                cause = str(error)
            except LostError as error:
                cause, uncertain = str(error), True
            else:
                cause = answer.code or _missing(answer, arguments)
                if not cause:
                    return answer.content
                if cause == "ConditionalCheckFailedException":
                    raise ConditionalCheckFailedError(
                        answer.content.get("Item"), repeated=uncertain
                    )
                if cause in _LASTING and answer.status < _SERVER_ERROR and not uncertain:
                    raise RequestError(f"{operation}: {cause}")
                # A refusal says that nothing was done.
                uncertain = uncertain or not _REFUSED <= answer.status < _SERVER_ERROR
            self._transport.close_idle()
        raise RoomsError(ErrorCode.UNAVAILABLE, cause=cause, uncertain=uncertain)


def _missing(answer: Answer, arguments: Mapping[str, object]) -> str:
    """Return what a success lacks; "" if nothing."""
    asked = "ReturnValues" in arguments
    return "HTTP 200: no attributes" if asked and not answer.content.get("Attributes") else ""
