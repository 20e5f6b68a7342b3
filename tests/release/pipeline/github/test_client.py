"""GitHub's refusals: one sentence and a hint, and never the token."""

import json
import socket
import traceback
from collections.abc import Mapping

import pytest
from werkzeug.wrappers import Response

import release.pipeline.github.client
from imagecheck.errors import FailedError
from release.pipeline.github.client import connect
from tests.support.imagecheck.http_server import Answer, Request, serving
from tests.support.release.github_server import TOKEN, GithubServer, github_server


def refused(github: GithubServer, **changes: str) -> str:
    with pytest.raises(FailedError) as caught:
        connect({**github.environment, **changes})
    assert TOKEN not in str(caught.value)
    assert TOKEN not in "".join(traceback.format_exception(caught.value))
    return f"{caught.value}; hint: {caught.value.hint}"


def answering(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    return Response(json.dumps({"message": message}), status, dict(headers or {}))


def test_the_repository_of_the_environment(github: GithubServer) -> None:
    assert connect(github.environment).repository.full_name == "five-friends/rooms"


@pytest.mark.parametrize("name", ["GITHUB_TOKEN", "GITHUB_REPOSITORY"])
def test_a_variable_that_is_missing_is_named(github: GithubServer, name: str) -> None:
    assert f"{name} must be set" in refused(github, **{name: ""})
    assert github.requests == []


def test_both_are_named_at_once() -> None:
    with pytest.raises(FailedError, match="GITHUB_TOKEN and GITHUB_REPOSITORY must be set"):
        connect({})


@pytest.mark.parametrize("name", ["rooms", "a/b/c", "/rooms", "a/"])
def test_a_repository_is_an_owner_and_a_name(github: GithubServer, name: str) -> None:
    assert "is not OWNER/NAME" in refused(github, GITHUB_REPOSITORY=name)
    assert github.requests == []


@pytest.mark.parametrize(
    "url", ["http://api.github.com", "api.github.com", "ftp://127.0.0.1", "http://:x", "https://"]
)
def test_the_token_goes_to_no_other_machine_without_tls(github: GithubServer, url: str) -> None:
    assert "GITHUB_API_URL is not a" in refused(github, GITHUB_API_URL=url)


def test_a_wrong_token(github: GithubServer) -> None:
    assert "rejects GITHUB_TOKEN" in refused(github, GITHUB_TOKEN=f"{TOKEN}x")


def test_a_repository_that_is_not_there_or_not_shown(github: GithubServer) -> None:
    message = refused(github, GITHUB_REPOSITORY="five-friends/other")
    assert (
        "the repository five-friends/other cannot be read: it does not exist at GitHub" in message
    )


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            answering(
                403,
                "API rate limit exceeded for installation ID 1.",
                {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1767225600"},
            ),
            "rate limit is used up; hint: try again after 00:00:00 UTC",
        ),
        (
            answering(429, "You have exceeded a secondary rate limit.", {"Retry-After": "60"}),
            "rate limit is used up; hint: try again in 60 s",
        ),
        (answering(403, "Must have admin rights"), "refuses it (403): Must have admin rights"),
        (answering(500, "oh"), "GitHub has a server error (500)"),
        (answering(409, ""), "refuses it (409): no reason given"),
        (answering(400, "\x1b[31m" + "x" * 999), "\\x1b[31mxxx"),
        (Response("<html>a portal</html>", 200), "the answer is not GitHub's"),
        (Response("{broken", 200), "the answer is not GitHub's"),
        (Response("[]", 200), "the answer is not GitHub's"),
    ],
)
def test_each_refusal_is_one_sentence(
    github: GithubServer, answer: Response, expected: str
) -> None:
    github.failure = answer
    message = refused(github)
    assert expected in message
    assert len(message) < 500


def test_a_gateway_that_fails_once_is_asked_again() -> None:
    answers = [Answer(502), Answer(404, body=b'{"message": "Not Found"}')]

    with serving(lambda _: answers.pop(0)) as server:
        with pytest.raises(FailedError, match="does not exist at GitHub"):
            connect(
                {"GITHUB_TOKEN": TOKEN, "GITHUB_REPOSITORY": "a/b", "GITHUB_API_URL": server.url}
            )
        assert len(server.requests) == 2


def test_a_gateway_that_fails_is_asked_no_third_time() -> None:
    with serving(lambda _: Answer(503)) as server:
        with pytest.raises(FailedError, match=r"server error \(503\)"):
            connect(
                {"GITHUB_TOKEN": TOKEN, "GITHUB_REPOSITORY": "a/b", "GITHUB_API_URL": server.url}
            )
        assert len(server.requests) == 2


def test_the_token_does_not_follow_to_another_host() -> None:
    def elsewhere(_: Request) -> Answer:
        return Answer(301, {"Location": other.url.replace("127.0.0.1", "localhost") + "/x"})

    with serving(lambda _: Answer(200, body=b"{}")) as other, serving(elsewhere) as server:
        with pytest.raises(FailedError, match="not GitHub's"):
            connect(
                {"GITHUB_TOKEN": TOKEN, "GITHUB_REPOSITORY": "a/b", "GITHUB_API_URL": server.url}
            )
        assert other.requests == []


def test_nobody_answers() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with github_server() as github:
            assert "GitHub cannot be reached" in refused(github, GITHUB_API_URL=url)


def test_one_that_is_silent(github: GithubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release.pipeline.github.client, "TIMEOUT_SECONDS", 1)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert "did not answer within 1 s" in refused(github, GITHUB_API_URL=url)
