"""Connections to the table: looking up its host, connecting, and TLS."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.lambda_src.rooms.test_dynamodb import PATIENT_S, client_of
from tests.lambda_src.rooms.test_transport import ATTEMPT_S, ITEM, WHOLE, failure, get
from tests.support.rooms.faulty_table import faulty_table

if TYPE_CHECKING:
    from tests.support.imagecheck.certificate import Certificate
    from tests.support.rooms.faulty_table import FaultyTable

pytestmark = pytest.mark.usefixtures("no_pauses")


def test_a_handshake_that_never_ends_is_given_up_before_anything_is_sent(
    trusted: Certificate,
) -> None:
    with faulty_table(None, tls=trusted.tls(), slow_handshake=True) as server:
        error = failure(client_of(server.endpoint, attempt_s=ATTEMPT_S))
    assert (error.cause, error.uncertain) == ("ConnectTimeoutError", False)


def test_a_certificate_that_is_not_trusted_is_no_table(certificate: Certificate) -> None:
    with faulty_table(None, tls=certificate.tls()) as server:
        error = failure(client_of(server.endpoint, attempt_s=PATIENT_S))
    assert (error.cause, error.uncertain) == ("SSLError", False)


def test_a_certificate_of_another_host_is_no_table(
    trusted: Certificate,
) -> None:
    with faulty_table(None, tls=trusted.tls()) as server:
        error = failure(
            client_of(server.endpoint.replace("127.0.0.1", "localhost"), attempt_s=PATIENT_S)
        )
    assert (error.cause, error.uncertain) == ("SSLError", False)


def test_a_closed_port_is_certain_to_have_done_nothing(closed_port: int) -> None:
    error = failure(client_of(f"http://127.0.0.1:{closed_port}", attempt_s=PATIENT_S))
    assert (error.cause, error.uncertain) == ("EndpointConnectionError", False)


@pytest.mark.proof
def test_a_look_up_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def look_up(*_: object, **__: object) -> Any:
        over.wait()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    try:
        error = failure(client_of("http://table.test", attempt_s=ATTEMPT_S))
    finally:
        over.set()
    assert (error.cause, error.uncertain) == ("ConnectTimeoutError", False)


def test_a_host_that_does_not_exist_is_certain_to_have_done_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def look_up(*_: object, **__: object) -> Any:
        raise socket.gaierror("no such host")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    error = failure(client_of("http://table.test", attempt_s=PATIENT_S))
    assert (error.cause, error.uncertain) == ("EndpointConnectionError", False)


def test_a_host_that_is_no_name_is_certain_to_have_done_nothing() -> None:
    error = failure(client_of("http://a..b", attempt_s=PATIENT_S))
    assert (error.cause, error.uncertain) == ("EndpointConnectionError", False)


def test_the_next_address_is_taken_when_one_does_not_answer(
    server: FaultyTable, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.serves(WHOLE)
    real = socket.getaddrinfo

    def look_up(host: str, port: int, **options: Any) -> Any:
        return real(host, closed_port, **options) + real(host, port, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert get(client_of(server.endpoint, attempt_s=PATIENT_S))["Item"] == ITEM
