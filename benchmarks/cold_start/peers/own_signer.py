"""Signature Version 4 on hashlib and hmac, over http.client.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
import os
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .signed_create import answer

if TYPE_CHECKING:
    from collections.abc import Mapping

_ALGORITHM = "AWS4-HMAC-SHA256"
_KEY_ID = os.environ["AWS_ACCESS_KEY_ID"]
_SECRET = os.environ["AWS_SECRET_ACCESS_KEY"]
_TOKEN = os.environ["AWS_SESSION_TOKEN"]
_REGION = os.environ["AWS_REGION"]


def sign(url: str, headers: Mapping[str, str], body: bytes) -> Mapping[str, str]:
    """Return the headers of a signed request."""
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    scope = f"{now[:8]}/{_REGION}/dynamodb/aws4_request"
    headers = {**headers, "X-Amz-Date": now, "X-Amz-Security-Token": _TOKEN}
    lines = sorted(f"{name.lower()}:{value.strip()}\n" for name, value in headers.items())
    names = ";".join(line.partition(":")[0] for line in lines)
    path = urlsplit(url).path
    digest = hashlib.sha256(body).hexdigest()
    canonical = f"POST\n{path}\n\n{''.join(lines)}\n{names}\n{digest}"
    text = f"{_ALGORITHM}\n{now}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{_SECRET}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    headers["Authorization"] = (
        f"{_ALGORITHM} Credential={_KEY_ID}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return headers


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer one HTTP request."""
    return answer(event, sign)
