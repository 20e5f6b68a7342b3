"""One request of DynamoDB's JSON protocol over a connection that is kept: for any signer."""

from __future__ import annotations

import json
import os
import ssl
from http.client import HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Sign = Callable[[str, Mapping[str, str], bytes], Mapping[str, str]]
    """Takes a URL, headers and a body, and returns all headers."""

_endpoint = urlsplit(os.environ["AWS_ENDPOINT_URL"])
_context = ssl.create_default_context(cafile=os.environ["AWS_CA_BUNDLE"])
_connection = HTTPSConnection(_endpoint.netloc, timeout=1, context=_context)


def put_item(sign: Sign, **arguments: Any) -> None:
    """Put an item, and once more when the connection was closed meanwhile."""
    body = json.dumps(arguments).encode()
    headers = sign(
        f"https://{_endpoint.netloc}/",
        {
            "Host": _endpoint.netloc,
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": "DynamoDB_20120810.PutItem",
        },
        body,
    )
    try:
        status, answer = _exchange(body, headers)
    except (HTTPException, OSError):
        _connection.close()
        status, answer = _exchange(body, headers)
    if status != 200:
        raise RuntimeError(answer.decode())


def _exchange(body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
    _connection.request("POST", "/", body, dict(headers))
    answer = _connection.getresponse()
    return answer.status, answer.read()
