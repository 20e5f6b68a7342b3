"""Requests that go wrong: where secrets go, how long we wait, and what people are told."""

import socket
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from imagecheck.image.errors import ImageReadError
from imagecheck.image.http import BACKOFF_SECONDS, MAX_REDIRECTS, HttpClient
from imagecheck.image.http_body import read_document
from tests.support.imagecheck.certificate import self_signed
from tests.support.imagecheck.http_server import Answer, serving

SECRET = "Bearer of-a-secret"
SIGNATURE = "X-Amz-Signature=0123456789abcdef"
OK = Answer(body=b"content")


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def http(slept: list[float]) -> Iterator[HttpClient]:
    client = HttpClient(slept.append)
    yield client
    client.close()


def fetch(http: HttpClient, url: str) -> bytes:
    return read_document(http.fetch("GET", url, {}, SECRET), "host", 100)


def redirect(location: str, status: int = 307) -> Answer:
    return Answer(status, {"Location": location})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_is_followed_without_authorization(
    http: HttpClient, status: int
) -> None:
    with (
        serving(lambda _: OK) as storage,
        serving(lambda _: redirect(f"{storage.url}/blob?signed", status)) as registry,
    ):
        assert fetch(http, f"{registry.url}/blob") == b"content"
    assert [r.headers.get("authorization") for r in registry.requests] == [SECRET]
    assert [r.headers.get("authorization") for r in storage.requests] == [None]
    assert [r.path for r in storage.requests] == ["/blob?signed"]


def test_a_redirect_to_the_same_host_keeps_authorization(http: HttpClient) -> None:
    with serving(lambda r: OK if r.path == "/there" else redirect("/there")) as registry:
        assert fetch(http, f"{registry.url}/here") == b"content"
    assert [r.headers.get("authorization") for r in registry.requests] == [SECRET, SECRET]


@pytest.mark.parametrize(
    "location", ["http://192.0.2.1/blob", "http://registry.example/blob", "ftp://127.0.0.1/blob"]
)
def test_a_redirect_to_plain_http_on_another_machine_is_refused(
    http: HttpClient, location: str
) -> None:
    with (
        serving(lambda _: redirect(location)) as registry,
        pytest.raises(ImageReadError, match="which is not HTTPS"),
    ):
        fetch(http, registry.url)


def test_plain_http_to_another_machine_is_refused(http: HttpClient) -> None:
    with pytest.raises(ImageReadError, match="which is not HTTPS"):
        fetch(http, "http://192.0.2.1/")


def test_redirects_without_end_are_given_up(http: HttpClient) -> None:
    with (
        serving(lambda _: redirect("/again")) as registry,
        pytest.raises(ImageReadError, match="redirects more than 5 times"),
    ):
        fetch(http, registry.url)
    assert len(registry.requests) == 1 + MAX_REDIRECTS


@pytest.mark.parametrize("location", ["http://[", "http://host:port/", "//"])
def test_a_redirect_to_no_url_is_refused(http: HttpClient, location: str) -> None:
    with serving(lambda _: redirect(location)) as registry, pytest.raises(ImageReadError):
        fetch(http, registry.url)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_by_the_host_of_a_redirect_names_it(http: HttpClient, status: int) -> None:
    with (
        serving(lambda _: Answer(status)) as storage,
        serving(lambda _: redirect(f"{storage.url}/blob?{SIGNATURE}")) as registry,
        pytest.raises(ImageReadError, match=f"{storage.host}.*{status}") as caught,
    ):
        fetch(http, registry.url)
    assert SIGNATURE not in shown(caught.value)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(http: HttpClient, slept: list[float], status: int) -> None:
    answers = [Answer(status), Answer(status), OK]
    with serving(lambda _: answers.pop(0)) as registry:
        assert fetch(http, registry.url) == b"content"
    assert slept == list(BACKOFF_SECONDS[:2])


@pytest.mark.parametrize(
    ("retry_after", "waits"), [("7", 7), ("86400", 30), ("soon", 1), ("9" * 5000, 1)]
)
def test_a_server_says_when_to_ask_again_within_reason(
    http: HttpClient, slept: list[float], retry_after: str, waits: int
) -> None:
    answers = [Answer(429, {"Retry-After": retry_after}), OK]
    with serving(lambda _: answers.pop(0)) as registry:
        fetch(http, registry.url)
    assert slept == [waits]


def test_a_server_that_stays_busy_is_given_up(http: HttpClient, slept: list[float]) -> None:
    with (
        serving(lambda _: Answer(429)) as registry,
        pytest.raises(ImageReadError, match=f"{registry.host} still answers HTTP 429"),
    ):
        fetch(http, registry.url)
    assert len(registry.requests) == 1 + len(BACKOFF_SECONDS)
    assert slept == list(BACKOFF_SECONDS)


@pytest.mark.parametrize("status", [200, 204, 400, 401, 403, 404, 410])
def test_any_other_answer_is_for_who_asked(http: HttpClient, status: int) -> None:
    with serving(lambda _: Answer(status)) as registry:
        response = http.fetch("GET", registry.url, {})
        response.close()
    assert response.status == status
    assert len(registry.requests) == 1


def test_what_nobody_listens_to_is_said_in_words(http: HttpClient) -> None:
    with pytest.raises(ImageReadError, match=r"127\.0\.0\.1:9 cannot be read: no connection") as e:
        fetch(http, f"http://127.0.0.1:9/?{SIGNATURE}")
    assert SIGNATURE not in shown(e.value)


def test_an_unknown_name_is_said_in_words(
    http: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object) -> None:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(ImageReadError, match="no address is known for this name"):
        fetch(http, "https://registry.example/")


def test_a_silent_server_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imagecheck.image.http.READ_TIMEOUT_SECONDS", 0.1)
    http = HttpClient()
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        pytest.raises(ImageReadError, match=r"nothing came for 0\.1 s"),
    ):
        fetch(http, f"http://127.0.0.1:{listener.getsockname()[1]}/")
    http.close()


def test_a_certificate_that_nobody_vouches_for_is_refused(http: HttpClient, tmp_path: Path) -> None:
    with (
        serving(lambda _: OK, self_signed(tmp_path).tls()) as registry,
        pytest.raises(ImageReadError, match=r"TLS fails \(self.signed certificate"),
    ):
        fetch(http, f"https://{registry.host}/")
    assert registry.requests == []


def test_a_document_without_end_is_not_read_to_it(http: HttpClient) -> None:
    endless = Answer(headers={"Content-Length": str(10**12)}, body=b"x" * 1000, endless=True)
    with (
        serving(lambda _: endless) as registry,
        pytest.raises(ImageReadError, match="too long"),
    ):
        fetch(http, registry.url)


def test_a_document_that_breaks_off_is_no_document(http: HttpClient) -> None:
    with (
        serving(lambda _: Answer(headers={"Content-Length": "50"}, body=b"half")) as registry,
        pytest.raises(ImageReadError, match="the connection broke"),
    ):
        fetch(http, registry.url)


def chunked(body: bytes) -> Answer:
    return Answer(headers={"Content-Length": "", "Transfer-Encoding": "chunked"}, body=body)


def test_a_document_may_come_in_chunks(http: HttpClient) -> None:
    with serving(lambda _: chunked(b"3\r\ncon\r\n4\r\ntent\r\n0\r\n\r\n")) as registry:
        assert fetch(http, registry.url) == b"content"


@pytest.mark.parametrize(
    "body", [b"", b"7\r\ncont", b"7\r\ncontent\r\n", b"x\r\ncontent", b"-7\r\ncontent\r\n"]
)
def test_chunks_that_break_off_are_no_document(http: HttpClient, body: bytes) -> None:
    with (
        serving(lambda _: chunked(body)) as registry,
        pytest.raises(ImageReadError, match="the connection broke"),
    ):
        fetch(http, registry.url)


def test_a_document_whose_end_cannot_be_told_from_a_break_is_refused(http: HttpClient) -> None:
    answer = Answer(headers={"Content-Length": ""}, body=b"content")
    with (
        serving(lambda _: answer) as registry,
        pytest.raises(ImageReadError, match="does not say how long"),
    ):
        fetch(http, registry.url)


def test_an_answer_with_two_lengths_is_not_read(http: HttpClient) -> None:
    answer = Answer(headers={"Content-Length": "5, 6"})

    with (
        serving(lambda _: answer) as registry,
        pytest.raises(ImageReadError, match="cannot be understood"),
    ):
        fetch(http, registry.url)


def test_nothing_is_compressed_on_the_way(http: HttpClient) -> None:
    with serving(lambda _: OK) as registry:
        fetch(http, registry.url)
    assert registry.requests[0].headers["accept-encoding"] == "identity"


def shown(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))
