"""The certificate authorities that may vouch for DynamoDB.

Amazon's own are five, and are read in a small part of the time that all public ones take. AWS
recommends them to those who keep a list of their own: https://www.amazontrust.com/repository/
"""

from __future__ import annotations

import importlib.util
import os.path
import ssl
from contextlib import suppress
from typing import Final


def _beside(file: str, name: str) -> str:
    # pathlib would be one more module to load at each start.
    return os.path.join(os.path.dirname(file), name)  # noqa: PTH118, PTH120


AMAZON_ROOTS: Final = _beside(__file__, "amazon_roots.pem")


def trusting(bundle: str) -> ssl.SSLContext:
    """Return the context of connections that trust the authorities in a PEM file.

    Raises:
        OSError: the file cannot be read, or has no certificate.

    """
    context = _context()
    context.load_verify_locations(bundle)
    return context


def trusting_all_public() -> ssl.SSLContext:
    """Return the same for the authorities that the system trusts, and those that botocore does.

    This is the way back for the day on which DynamoDB shows a certificate of another authority.
    botocore is in AWS's base images, and brings the list of Mozilla's.
    """
    context = _context()
    context.load_default_certs()
    with suppress(OSError):
        botocore = importlib.util.find_spec("botocore")
        if botocore and botocore.origin:
            context.load_verify_locations(_beside(botocore.origin, "cacert.pem"))
    return context


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # it verifies certificate and host
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
