"""Registries that want a login: who gets credentials, and who never does."""

import base64
import json
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from urllib3.util import parse_url

from imagecheck.image.authorization import Access, authorization, login_hint, parse_challenges
from imagecheck.image.errors import ImageReadError
from imagecheck.image.http import HttpClient
from tests.support.errors import shows
from tests.support.imagecheck.certificate import self_signed
from tests.support.imagecheck.http_server import Answer, Server, serving

SECRET = "correct horse"
BASIC = "Basic " + base64.b64encode(f"me:{SECRET}".encode()).decode()
IDENTITY = "identity-of-me"
TOKEN = "e30.e30.c2lnbmF0dXJl"
LOCAL = Access("127.0.0.1:5000", parse_url("http://127.0.0.1:5000"), "team/app")
FAR = Access("registry.example", parse_url("https://registry.example"), "team/app")


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    return tmp_path / "config.json"


@pytest.fixture
def http() -> Iterator[HttpClient]:
    client = HttpClient(lambda _: None)
    yield client
    client.close()


def log_in(config: Path, **entry: str) -> None:
    entry = entry or {"auth": BASIC.removeprefix("Basic ")}
    config.write_text(json.dumps({"auths": {LOCAL.host: entry, FAR.host: entry}}))


def gives(**answer: Any) -> Answer:
    return Answer(body=json.dumps(answer).encode())


def bearer(server: Server, scope: str = "repository:team/app:pull") -> str:
    return f'Bearer realm="{server.url}/token?a=1",service="the registry",scope="{scope}"'


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", []),
        ('Basic realm="a, b=c"', [("basic", {"realm": "a, b=c"})]),
        (
            "BEARER Realm=https://a.example/token",
            [("bearer", {"realm": "https://a.example/token"})],
        ),
        (
            'Bearer realm="https://a.example/token",service="s",scope="repository:a:pull,push"',
            [
                (
                    "bearer",
                    {
                        "realm": "https://a.example/token",
                        "service": "s",
                        "scope": "repository:a:pull,push",
                    },
                )
            ],
        ),
        (
            r'Negotiate, Bearer realm = "a\"b" , Basic realm="c"',
            [("negotiate", {}), ("bearer", {"realm": 'a"b'}), ("basic", {"realm": "c"})],
        ),
    ],
)
def test_challenges_are_read(header: str, expected: list[tuple[str, dict[str, str]]]) -> None:
    assert parse_challenges(header) == expected


def test_a_token_is_asked_for_anonymously_where_nobody_has_logged_in(http: HttpClient) -> None:
    with serving(lambda _: gives(token=TOKEN)) as server:
        assert authorization(bearer(server), LOCAL, http) == f"Bearer {TOKEN}"
    [request] = server.requests
    assert "authorization" not in request.headers
    assert parse_qs(urlsplit(request.path).query) == {
        "a": ["1"],
        "service": ["the registry"],
        "scope": ["repository:team/app:pull"],
    }


def test_every_scope_is_asked_for(http: HttpClient) -> None:
    with serving(lambda _: gives(token=TOKEN)) as server:
        authorization(bearer(server, "repository:a:pull repository:b:pull"), LOCAL, http)
    query = parse_qs(urlsplit(server.requests[0].path).query)
    assert query["scope"] == ["repository:a:pull", "repository:b:pull"]


def test_where_no_scope_is_named_it_is_to_pull(http: HttpClient) -> None:
    with serving(lambda _: gives(token=TOKEN)) as server:
        authorization(f'Bearer realm="{server.url}"', LOCAL, http)
    query = parse_qs(urlsplit(server.requests[0].path).query)
    assert query == {"scope": ["repository:team/app:pull"]}


def test_a_password_buys_a_token(http: HttpClient, config: Path) -> None:
    log_in(config)
    with serving(lambda _: gives(access_token=TOKEN)) as server:
        assert authorization(bearer(server), LOCAL, http) == f"Bearer {TOKEN}"
    assert [request.headers["authorization"] for request in server.requests] == [BASIC]


def test_an_identity_token_buys_a_token(http: HttpClient, config: Path) -> None:
    log_in(config, identitytoken=IDENTITY)
    with serving(lambda _: gives(access_token=TOKEN)) as server:
        assert authorization(bearer(server), LOCAL, http) == f"Bearer {TOKEN}"
    [request] = server.requests
    assert (request.method, request.path) == ("POST", "/token?a=1")
    assert parse_qs(request.body.decode()) == {
        "grant_type": ["refresh_token"],
        "refresh_token": [IDENTITY],
        "service": ["the registry"],
        "scope": ["repository:team/app:pull"],
        "client_id": ["lambda-image-check"],
    }


@pytest.mark.parametrize("logged_in", [False, True])
def test_a_registry_elsewhere_cannot_have_credentials_sent_by_plain_http(
    http: HttpClient, config: Path, logged_in: bool
) -> None:
    if logged_in:
        log_in(config)
    with (
        serving(lambda _: gives(token=TOKEN)) as server,
        pytest.raises(ImageReadError, match="which is not HTTPS"),
    ):
        authorization(bearer(server), FAR, http)
    assert server.requests == []


def test_a_local_registry_cannot_have_credentials_sent_elsewhere_by_plain_http(
    http: HttpClient, config: Path
) -> None:
    log_in(config)
    with pytest.raises(ImageReadError, match="which is not HTTPS"):
        authorization('Bearer realm="http://192.0.2.1/token"', LOCAL, http)


def test_a_token_server_without_a_trusted_certificate_gets_no_credentials(
    http: HttpClient, config: Path, tmp_path: Path
) -> None:
    log_in(config)
    with (
        serving(lambda _: gives(token=TOKEN), self_signed(tmp_path).tls()) as server,
        pytest.raises(ImageReadError, match="TLS fails"),
    ):
        authorization(f'Bearer realm="https://{server.host}/token"', FAR, http)
    assert server.requests == []


@pytest.mark.parametrize("entry", [{}, {"identitytoken": IDENTITY}])
def test_a_token_server_cannot_send_credentials_on(
    http: HttpClient, config: Path, entry: dict[str, str]
) -> None:
    log_in(config, **entry)
    with (
        serving(lambda _: gives(token=TOKEN)) as other,
        serving(lambda _: Answer(307, {"Location": other.url})) as server,
        pytest.raises(ImageReadError, match="gives no token: it answers HTTP 307"),
    ):
        authorization(bearer(server), LOCAL, http)
    assert other.requests == []


@pytest.mark.parametrize("status", [400, 401, 403])
def test_refused_credentials_are_not_shown(http: HttpClient, config: Path, status: int) -> None:
    log_in(config)
    with (
        serving(lambda _: Answer(status, body=SECRET.encode())) as server,
        pytest.raises(
            ImageReadError, check=shows(f"the stored credentials.*docker login {LOCAL.host}")
        ) as caught,
    ):
        authorization(bearer(server), LOCAL, http)
    shown = "".join(traceback.format_exception(caught.value))
    assert SECRET not in shown
    assert BASIC.removeprefix("Basic ") not in shown


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no JSON",
        b"[]",
        b"{}",
        b'{"token": ""}',
        b'{"token": 1}',
        json.dumps({"token": TOKEN + "\r\nX-Other: 1"}).encode(),
        json.dumps({"token": TOKEN + "\x00"}).encode(),
    ],
)
def test_an_answer_without_a_token_is_not_quoted(http: HttpClient, body: bytes) -> None:
    with (
        serving(lambda _: Answer(body=body)) as server,
        pytest.raises(ImageReadError, match="but with no token") as caught,
    ):
        authorization(bearer(server), LOCAL, http)
    assert TOKEN not in "".join(traceback.format_exception(caught.value))


def test_an_answer_without_end_is_not_read_to_it(http: HttpClient) -> None:
    endless = Answer(headers={"Content-Length": str(10**12)}, body=b" " * 65536, endless=True)
    with (
        serving(lambda _: endless) as server,
        pytest.raises(ImageReadError, match="too long"),
    ):
        authorization(bearer(server), LOCAL, http)


def test_a_registry_may_ask_for_the_password_itself(http: HttpClient, config: Path) -> None:
    log_in(config)
    assert authorization('Basic realm="registry"', FAR, http) == BASIC


@pytest.mark.parametrize("entry", [None, {"identitytoken": IDENTITY}])
def test_without_a_password_there_is_no_answer_to_that(
    http: HttpClient, config: Path, entry: dict[str, str] | None
) -> None:
    if entry:
        log_in(config, **entry)
    with pytest.raises(ImageReadError, check=shows(r"docker login registry\.example")):
        authorization('Basic realm="registry"', FAR, http)


@pytest.mark.parametrize(
    "challenge", ["", "Negotiate", "Bearer", 'Bearer realm=""', 'Bearer realm="http://["']
)
def test_a_challenge_that_cannot_be_answered_is_said(http: HttpClient, challenge: str) -> None:
    with pytest.raises(ImageReadError, match=r"registry\.example"):
        authorization(challenge, FAR, http)


def test_amazons_public_registry_has_a_login_of_its_own() -> None:
    assert "aws ecr-public get-login-password" in login_hint("public.ecr.aws")
