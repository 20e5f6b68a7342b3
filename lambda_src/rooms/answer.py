"""Reads an answer of DynamoDB, and tells it from one that was damaged on its way."""

from __future__ import annotations

import zlib
from typing import Final, NamedTuple, TypeAlias, TypedDict

import msgspec

_OK: Final = 200
_ERRORS: Final = range(400, 600)
_LONGEST_NAME: Final = 100


class AttributeValue(TypedDict, total=False):
    """A value with its type: one of these keys.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
    """

    S: str
    N: str
    B: bytes
    BOOL: bool
    NULL: bool
    M: dict[str, AttributeValue]
    L: list[AttributeValue]
    SS: list[str]
    NS: list[str]
    BS: list[bytes]


Item: TypeAlias = dict[str, AttributeValue]

# What is read of an answer, be it a success or an error.
Content = TypedDict("Content", {"Item": Item, "Attributes": Item, "__type": str}, total=False)

_content: Final = msgspec.json.Decoder(Content)


class DamagedAnswerError(Exception):
    """An answer that is not DynamoDB's, or not all of it. The text has no part of the answer."""

    def __init__(self, status: int, fault: str) -> None:
        super().__init__(f"HTTP {status}: {fault}")


class Answer(NamedTuple):
    """An answer of DynamoDB: a success, or an error whose ``code`` is not ""."""

    status: int
    content: Content

    @property
    def code(self) -> str:
        """The error's name, such as ``ThrottlingException``."""
        return self.content.get("__type", "").partition(":")[0].rpartition("#")[2]


def read_answer(status: int, body: bytes, *, checksum: str | None) -> Answer:
    """Return an answer, unless DynamoDB cannot have given it.

    A success has a checksum of its body as it was sent, compressed or not:
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
    An error may come without one: the example in DynamoDB's documentation does, and those of
    DynamoDB Local do. It is then known by its ``__type``, which the HTML of a 503 or a 413 from
    something in front of DynamoDB has not; no bit of it can have changed, since TLS sees to that.
    The checksum does not cover the status, so that is compared with the body.

    Args:
        status: the HTTP status.
        body: all of the body.
        checksum: the header ``x-amz-crc32``, if there is one.

    Raises:
        DamagedAnswerError: a success without checksum, another checksum, an object that is none of
            DynamoDB's, or the status of another body.

    """
    if checksum is None and status == _OK:
        raise DamagedAnswerError(status, "no checksum")
    # Of no bytes the checksum is 0, but the shortest answer is {}.
    if checksum is not None and (not body or checksum.strip() != str(zlib.crc32(body))):
        raise DamagedAnswerError(status, "another checksum")
    try:
        answer = Answer(status, _content.decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise DamagedAnswerError(status, "another body") from None
    # It is logged, so it has to be a name: a text could hold whatever the item does.
    if answer.code and not (answer.code.isidentifier() and len(answer.code) < _LONGEST_NAME):
        raise DamagedAnswerError(status, "another error")
    if status not in _ERRORS if answer.code else status != _OK:
        raise DamagedAnswerError(status, "another status")
    return answer
