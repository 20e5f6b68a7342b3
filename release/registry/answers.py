"""A registry's answers to what is sent: what it refuses, and whether the right bytes arrived."""

import re
from typing import Final

import msgspec
from urllib3 import BaseHTTPResponse

from imagecheck.image.digest import is_digest
from imagecheck.image.errors import ImageReadError
from imagecheck.image.http_body import read_document
from imagecheck.image.registry_session import RegistrySession
from release.errors import RefusedError

_MAX_REFUSAL_BYTES: Final = 64 * 1024
_ERROR_CODE: Final = re.compile("[A-Za-z_]{1,64}")


def require_digest(registry: RegistrySession, response: BaseHTTPResponse, digest: str) -> None:
    """Refuse an answer that says that something else has arrived."""
    arrived = response.headers.get("Docker-Content-Digest", digest)
    if arrived != digest:
        arrived = arrived if is_digest(arrived) else "something else"
        raise RefusedError(
            f"{registry.place} says that {arrived} has arrived, but {digest} was sent",
            hint="deploy nothing from there",
        )


def refusal_of(registry: RegistrySession, response: BaseHTTPResponse, what: str) -> ImageReadError:
    """Say what the registry does not take, with its code for why: its words could be anything.

    https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes
    """
    code = ""
    try:
        content = read_document(response, registry.place, _MAX_REFUSAL_BYTES)
        errors = msgspec.json.decode(content, type=_Refusal).errors
    except (ImageReadError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        errors = []
    for error in errors[:1]:
        code = f" ({error.code})" if _ERROR_CODE.fullmatch(error.code) else ""
    return registry.refusal(response, f"to {what}{code}")


class _RefusalError(msgspec.Struct, frozen=True):
    code: str = ""


class _Refusal(msgspec.Struct, frozen=True):
    errors: list[_RefusalError]
