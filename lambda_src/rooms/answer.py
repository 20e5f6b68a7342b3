"""Tells an answer of DynamoDB from one that was damaged on its way."""

from __future__ import annotations

import json
import zlib
from typing import Any, Final

from botocore.exceptions import BotoCoreError

_OK: Final = 200
_ERRORS: Final = range(400, 600)


class DamagedAnswerError(BotoCoreError):
    """An answer that is not DynamoDB's, or not all of it. The text has no part of the answer."""

    fmt = "HTTP {status}: {fault}"


def require_whole(status: int, body: bytes, *, checksum: str | None) -> None:
    """Refuse an answer that DynamoDB cannot have given.

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
        DamagedAnswerError: a success without checksum, another checksum, no JSON object, or the
            status of another body.

    """
    if checksum is None and status == _OK:
        raise DamagedAnswerError(status=status, fault="no checksum")
    # Of no bytes the checksum is 0, but the shortest answer is {}.
    if checksum is not None and (not body or checksum.strip() != str(zlib.crc32(body))):
        raise DamagedAnswerError(status=status, fault="another checksum")
    content = _decoded(body)
    # botocore takes null for what is not there.
    if not isinstance(content, dict) or None in content.values():
        raise DamagedAnswerError(status=status, fault="another body")
    if status not in _ERRORS if "__type" in content else status != _OK:
        raise DamagedAnswerError(status=status, fault="another status")


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
