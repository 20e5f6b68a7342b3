"""``python -m tools.amazon_roots``: writes the authorities that the function trusts.

They are taken from certifi, Mozilla's list, and must be those that AWS publishes.
"""

from __future__ import annotations

import datetime
import hashlib
import re
from importlib.metadata import version
from pathlib import Path
from typing import Final

import certifi
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

BUNDLE: Final = Path(__file__).parents[1] / "lambda_src" / "rooms" / "amazon_roots.pem"

PUBLISHED: Final = {
    "fbe3018031f9586bcbf41727e417b7d1c45c2f47f93be372a17b96b50757d5a2": "Amazon Root CA 1",
    "7f4296fc5b6a4e3b35d3c369623e364ab1af381d8fa7121533c9d6c633ea2461": "Amazon Root CA 2",
    "36abc32656acfc645c61b71613c4bf21c787f5cabbee48348d58597803d7abc9": "Amazon Root CA 3",
    "f7ecded5c66047d28ed6466b543c40e0743abe81d109254dcf845d4c2c7853c5": "Amazon Root CA 4",
    "2b071c59a0a0ae76b0eadb2bad23bad4580b69c3601b630c2eaf0613afa83f92": (
        "Starfield Services Root Certificate Authority - G2"
    ),
}
"""The SHA-256 of each authority's public key, as AWS publishes it, and its name:
https://www.amazontrust.com/repository/"""

_CERTIFICATE: Final = re.compile(
    r"-----BEGIN CERTIFICATE-----\n.*?-----END CERTIFICATE-----\n", re.DOTALL
)


def key_digest(certificate: str) -> str:
    """Return the SHA-256 of the public key of a certificate (PEM), in hexadecimal."""
    key = x509.load_pem_x509_certificate(certificate.encode()).public_key()
    return hashlib.sha256(
        key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ).hexdigest()


def certificates(pem: str) -> list[str]:
    """Return the certificates of a PEM file, one after the other."""
    return _CERTIFICATE.findall(pem)


def bundle(pem: str, *, source: str) -> str:
    """Return the file: the published authorities out of a longer list, each under its name.

    Raises:
        ValueError: one of them is not in the list.

    """
    known = {key_digest(certificate): certificate for certificate in certificates(pem)}
    if missing := PUBLISHED.keys() - known.keys():
        names = ", ".join(sorted(PUBLISHED[digest] for digest in missing))
        raise ValueError(f"{source} has no {names}")
    named = [f"# {name}\n{known[digest]}" for digest, name in PUBLISHED.items()]
    return f"# Amazon's certificate authorities, from {source}.\n" + "\n".join(named)


def main() -> None:
    """Write the file."""
    today = datetime.datetime.now(tz=datetime.UTC).date()
    source = f"certifi {version('certifi')}, on {today}"
    BUNDLE.write_text(bundle(certifi.contents(), source=source), encoding="ascii")


if __name__ == "__main__":
    main()
