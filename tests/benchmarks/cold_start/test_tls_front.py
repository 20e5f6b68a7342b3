"""A client that trusts the front talks with the table, and nobody else does."""

import ssl
from http.client import HTTPSConnection
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import botocore
import pytest

from benchmarks.cold_start.process import Place
from benchmarks.cold_start.tls_front import certificates

HEADERS: Final = {
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Target": "DynamoDB_20120810.GetItem",
    "Authorization": (
        "AWS4-HMAC-SHA256 Credential=local/20260101/ap-northeast-1/dynamodb/aws4_request,"
        " SignedHeaders=host, Signature=0"
    ),
}
BODY: Final = b'{"TableName":"rooms","Key":{"roomId":{"S":"BCDF23"}}}'


def ask(place: Place, authorities: Path, times: int) -> list[int]:
    """Return the statuses of so many requests over one connection."""
    context = ssl.create_default_context(cafile=authorities)
    connection = HTTPSConnection(urlsplit(place.front.url).netloc, context=context)
    statuses = []
    for _ in range(times):
        connection.request("POST", "/", BODY, HEADERS)
        with connection.getresponse() as response:
            response.read()
            statuses.append(response.status)
    connection.close()
    return statuses


def test_who_trusts_it_gets_the_answers_of_the_table(place: Place) -> None:
    for number, authorities in enumerate(place.authorities.files, 1):
        assert ask(place, authorities, 2) == [200, 200]
        assert place.front.requests == 2 * number


def test_it_is_not_trusted_by_itself(place: Place) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        ask(place, Path(botocore.__file__).with_name("cacert.pem"), 1)


def test_each_file_has_the_authorities_that_it_is_named_after(place: Place) -> None:
    counts = [file.read_text().count("BEGIN") for file in place.authorities.files]

    assert counts == [place.authorities.count + 1, 6, 1]
    assert place.authorities.count > 100


def test_certificates_are_found_by_their_label() -> None:
    one = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"
    bundle = f'\n# Issuer: CN=A\n# Label: "A"\n{one}\n# Label: "B (2)"\n# Serial: 1\n{one}'

    assert certificates(bundle) == {"A": one, "B (2)": one}
