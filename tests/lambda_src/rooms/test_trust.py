"""Whom the function trusts to vouch for DynamoDB: Amazon first, then whom the system trusts."""

from __future__ import annotations

import logging
import ssl
from typing import TYPE_CHECKING

import pytest

from lambda_src.rooms import transport as transport_module
from lambda_src.rooms.endpoint import endpoint
from lambda_src.rooms.transport import NotSentError, Transport
from lambda_src.rooms.trust import AMAZON_ROOTS, trusting, trusting_all_public
from tests.support.rooms.faulty_table import FaultyTable, faulty_table, whole_answer
from tests.support.rooms.wire import CREDENTIALS, PATIENT_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.imagecheck.certificate import Certificate


@pytest.fixture
def table(certificate: Certificate) -> Iterator[FaultyTable]:
    """A server whose certificate nobody has signed."""
    with faulty_table(None, tls=certificate.tls()) as server:
        server.serves(whole_answer(200, b"{}"))
        yield server


def transport_to(table: FaultyTable, ca_bundle: str | None = None) -> Transport:
    place = endpoint({"AWS_ENDPOINT_URL": table.endpoint, "AWS_REGION": "ap-northeast-1"})
    return Transport(
        place,
        CREDENTIALS,
        ca_bundle=ca_bundle,
        connect_timeout=PATIENT_S,
        read_timeout=PATIENT_S,
    )


def test_amazons_authorities_are_trusted_first_and_nobody_else() -> None:
    authorities = [str(authority["subject"]) for authority in trusting(AMAZON_ROOTS).get_ca_certs()]
    assert len(authorities) == 5
    assert all("Amazon" in name or "Starfield Services" in name for name in authorities)


def test_the_way_back_trusts_all_that_botocore_does() -> None:
    import botocore.httpsession  # noqa: PLC0415  # as the function finds it

    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    theirs.load_verify_locations(botocore.httpsession.DEFAULT_CA_BUNDLE)
    ours = trusting_all_public()
    assert {ca["serialNumber"] for ca in theirs.get_ca_certs()} <= {
        ca["serialNumber"] for ca in ours.get_ca_certs()
    }
    for context in (ours, trusting(AMAZON_ROOTS)):
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname


def test_a_certificate_that_amazon_does_not_vouch_for_is_taken_if_the_system_does(
    table: FaultyTable,
    certificate: Certificate,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.file))
    transport = transport_to(table)
    caplog.set_level(logging.WARNING)
    for _ in range(3):
        assert transport.send("GetItem", b"{}").content == {}
        transport.close_idle()
    assert len(caplog.records) == 1
    # One more only: the handshake that failed.
    assert table.connections == [0, 1, 1, 1]


def test_a_certificate_that_nobody_vouches_for_is_no_table(table: FaultyTable) -> None:
    transport = transport_to(table)
    for _ in range(2):
        with pytest.raises(NotSentError, match="SSLError"):
            transport.send("GetItem", b"{}")
    assert not any(table.connections)


def test_a_certificate_of_another_host_changes_nobody_who_is_trusted(
    table: FaultyTable,
    certificate: Certificate,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As on a machine with a wrong clock: the authorities are the right ones."""
    monkeypatch.setattr(transport_module, "AMAZON_ROOTS", str(certificate.file))
    place = endpoint(
        {
            "AWS_ENDPOINT_URL": table.endpoint.replace("127.0.0.1", "localhost"),
            "AWS_REGION": "ap-northeast-1",
        }
    )
    transport = Transport(place, CREDENTIALS, connect_timeout=PATIENT_S, read_timeout=PATIENT_S)
    with pytest.raises(NotSentError, match="SSLError"):
        transport.send("GetItem", b"{}")
    assert not caplog.records
    assert len(table.connections) == 1


def test_authorities_that_are_named_are_the_only_ones(
    table: FaultyTable, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.file))
    with pytest.raises(NotSentError, match="SSLError"):
        transport_to(table, AMAZON_ROOTS).send("GetItem", b"{}")
    assert len(table.connections) == 1
    assert transport_to(table, str(certificate.file)).send("GetItem", b"{}").content == {}


def test_a_bundle_that_is_not_there_fails_while_the_environment_starts(
    table: FaultyTable, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError):
        transport_to(table, str(tmp_path / "none.pem"))
