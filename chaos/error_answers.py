"""Answers that refuse a request, as DynamoDB and what is in front of it give them."""

import json
import zlib
from typing import Final

_DYNAMODB: Final = "com.amazonaws.dynamodb.v20120810"


def error(status: int, code: str, *, service: str = _DYNAMODB) -> bytes:
    """Return an error of DynamoDB's JSON protocol, with its checksum.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
    """
    body = json.dumps({"__type": f"{service}#{code}", "message": "made by the trial"}).encode()
    headers = f"Content-Type: application/x-amz-json-1.0\r\nx-amz-crc32: {zlib.crc32(body)}"
    return _message(f"{status} Error", headers, body)


def page(status: int) -> bytes:
    """Return an error of something that does not know DynamoDB."""
    body = b"<html><head><title>Error</title></head><body>Request blocked.</body></html>"
    return _message(f"{status} Error", "Content-Type: text/html", body)


def _message(status: str, headers: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\n{headers}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


REDIRECT: Final = _message("307 Temporary Redirect", "Location: http://127.0.0.1:9/", b"")
