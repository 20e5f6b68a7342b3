"""AWS's signer for any HTTP client (``aws-sdk-signers``, for Python 3.12 and newer)."""

from __future__ import annotations

import os
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from aws_sdk_signers import (
    URI,
    AWSCredentialIdentity,
    AWSRequest,
    Field,
    Fields,
    SigV4Signer,
    SigV4SigningProperties,
)

from .signed_create import answer

if TYPE_CHECKING:
    from collections.abc import Mapping

_signer = SigV4Signer()
_properties = SigV4SigningProperties(region=os.environ["AWS_REGION"], service="dynamodb")
_identity = AWSCredentialIdentity(
    access_key_id=os.environ["AWS_ACCESS_KEY_ID"],
    secret_access_key=os.environ["AWS_SECRET_ACCESS_KEY"],
    session_token=os.environ["AWS_SESSION_TOKEN"],
)


def sign(url: str, headers: Mapping[str, str], body: bytes) -> Mapping[str, str]:
    """Return the headers of a signed request."""
    parts = urlsplit(url)
    request = AWSRequest(
        destination=URI(scheme=parts.scheme, host=parts.hostname, port=parts.port, path=parts.path),
        method="POST",
        body=BytesIO(body),
        fields=Fields([Field(name=name, values=[value]) for name, value in headers.items()]),
    )
    signed = _signer.sign(request=request, identity=_identity, properties=_properties)
    return {field.name: field.as_string() for field in signed.fields}


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer one HTTP request."""
    return answer(event, sign)
