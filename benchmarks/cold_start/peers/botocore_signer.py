"""botocore's signer alone, over http.client."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from .signed_create import answer

if TYPE_CHECKING:
    from collections.abc import Mapping

_signer = SigV4Auth(
    Credentials(
        os.environ["AWS_ACCESS_KEY_ID"],
        os.environ["AWS_SECRET_ACCESS_KEY"],
        os.environ["AWS_SESSION_TOKEN"],
    ),
    "dynamodb",
    os.environ["AWS_REGION"],
)


def sign(url: str, headers: Mapping[str, str], body: bytes) -> Mapping[str, str]:
    """Return the headers of a signed request."""
    request = AWSRequest("POST", url, headers, body)
    _signer.add_auth(request)
    return dict(request.headers)


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer one HTTP request."""
    return answer(event, sign)
