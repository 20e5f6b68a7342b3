"""Signs requests to DynamoDB with AWS Signature Version 4.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
Every request is a POST to / without a query, so its canonical form is its headers and its body.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .endpoint import Credentials

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_SERVICE: Final = "dynamodb"
_VERSION: Final = "DynamoDB_20120810"


def signed_headers(
    operation: str,
    body: bytes,
    *,
    host: str,
    region: str,
    credentials: Credentials,
    now_s: float,
) -> dict[str, str]:
    """Return the headers of a request, its signature among them.

    Args:
        operation: the name of the operation, such as ``GetItem``.
        body: the arguments, as JSON.
        host: the value of ``Host``, with a port where the request has one.
        region: the Region of the endpoint.
        credentials: whose request it is.
        now_s: the time, in seconds since the epoch; DynamoDB accepts five minutes more or less.

    """
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now_s))
    day = moment[:8]
    # In the order of the alphabet, as they are signed.
    headers = {
        "content-type": "application/x-amz-json-1.0",
        "host": host,
        "x-amz-date": moment,
    }
    if credentials.session_token:
        headers["x-amz-security-token"] = credentials.session_token
    headers["x-amz-target"] = f"{_VERSION}.{operation}"
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    digest = hashlib.sha256(body).hexdigest()
    request = hashlib.sha256(f"POST\n/\n\n{lines}\n{names}\n{digest}".encode()).hexdigest()
    scope = f"{day}/{region}/{_SERVICE}/aws4_request"
    key = _key(credentials.secret_access_key, day, region)
    signature = _hmac(key, f"{_ALGORITHM}\n{moment}\n{scope}\n{request}").hex()
    headers["authorization"] = (
        f"{_ALGORITHM} Credential={credentials.access_key_id}/{scope},"
        f" SignedHeaders={names}, Signature={signature}"
    )
    return headers


@functools.lru_cache(maxsize=1)
def _key(secret: str, day: str, region: str) -> bytes:
    """Return the key of a day, so that it is derived once a day."""
    key = f"AWS4{secret}".encode()
    for part in (day, region, _SERVICE, "aws4_request"):
        key = _hmac(key, part)
    return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
