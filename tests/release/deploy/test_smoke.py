"""`release smoke`: the API as a client sees it, when it is right and when it is not."""

import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

import release.deploy.smoke
from contract.run import ContractTestError
from imagecheck.errors import FailedError, UsageError
from lambda_src.rooms import headers
from lambda_src.rooms.client import Entrance
from release.cli import main
from release.deploy.smoke import api_url, smoke
from tests.support.errors import shows
from tests.support.imagecheck.certificate import self_signed
from tests.support.imagecheck.http_server import Answer, Request, Server, serving
from tests.support.release.deployed_stage import DeployedStage
from tests.support.release.output import parse_output
from tests.support.release.rooms_api import RoomsApi

STEPS = [
    ("create", 200),
    ("join", 200),
    ("get", 200),
    ("get unchanged", 304),
    ("leave", 200),
    ("leave as the last", 200),
    ("get deleted room", 404),
]


@pytest.fixture
def api(dynamodb_endpoint: str) -> RoomsApi:
    return RoomsApi(dynamodb_endpoint)


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    def run_main(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["release", "smoke", *arguments])
        status = main()
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return status, printed.out, printed.err

    return run_main


@contextmanager
def changed(api: RoomsApi, at: int, change: Callable[[Answer], Answer]) -> Iterator[Server]:
    """Serve the API with one answer changed: that to request ``at``, counted from zero."""
    count = itertools.count()

    def answer(request: Request) -> Answer:
        found = api(request)
        return change(found) if next(count) == at else found

    with serving(answer) as server:
        yield server


# --- a good API ---------------------------------------------------------------------------------


def test_every_step_is_timed_and_no_room_stays(api: RoomsApi) -> None:
    with serving(api) as server:
        steps = smoke(server.url)

    assert [(step.name, step.status) for step in steps] == STEPS
    assert all(step.milliseconds > 0 for step in steps)
    assert api.rooms_left() == 0


def test_what_it_prints(api: RoomsApi, run: Callable[..., tuple[int, str, str]]) -> None:
    with serving(api) as server:
        status, out, err = run(server.url + "/")
        status_json, out_json, _ = run(server.url, "--json")

    assert (status, status_json) == (0, 0)
    assert [line.split("  ")[0].strip() for line in out.splitlines()] == [n for n, _ in STEPS]
    assert all(line.endswith(" ms") for line in out.splitlines())
    assert f"testing {server.url} ..." in err
    document = json.loads(out_json)
    assert list(document) == ["version", "command", "ok", "account", "region", "url", "steps"]
    assert (document["account"], document["region"]) == (None, None)
    assert (document["ok"], document["url"]) == (True, server.url)
    assert [(step["name"], step["status"]) for step in document["steps"]] == STEPS


def test_below_a_path(api: RoomsApi) -> None:
    """As with a custom domain, whose mapping has a path."""

    def answer(request: Request) -> Answer:
        return api(replace(request, path=request.path.removeprefix("/v1")))

    with serving(answer) as server:
        assert len(smoke(api_url(f"{server.url}/v1/"))) == len(STEPS)

    assert all(request.path.startswith("/v1/rooms") for request in server.requests)


def test_over_tls(api: RoomsApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = self_signed(tmp_path)
    with serving(api, certificate.tls()) as server:
        url = f"https://{server.host}"
        with pytest.raises(FailedError, match="TLS fails"):
            smoke(url)
        assert server.requests == []

        monkeypatch.setenv("SSL_CERT_FILE", str(certificate.file))
        assert len(smoke(url)) == len(STEPS)


@pytest.mark.proof
def test_as_a_process() -> None:
    command = [sys.executable, "-m", "release", "smoke", "https://nowhere.invalid", "--json"]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert parse_output(done.stdout)["error"]["message"].startswith("create: nowhere.invalid")
    assert done.stderr.splitlines()[-1] == (
        "error: create: nowhere.invalid cannot be reached: no address is known for this name"
    )


# --- an API that answers wrongly ----------------------------------------------------------------


def body_without(*names: str) -> Callable[[Answer], Answer]:
    def change(answer: Answer) -> Answer:
        document = json.loads(answer.body)
        inner = document
        for name in names[:-1]:
            inner = inner[name]
        del inner[names[-1]]
        return replace(answer, body=json.dumps(document).encode())

    return change


WRONG: dict[str, tuple[int, Callable[[Answer], Answer], str, str]] = {
    "an error of the API's": (
        0,
        lambda _: Answer(500, body=b'{"message":"Internal Server Error"}'),
        "create",
        "status 500, wanted 200",
    ),
    "an error of the function's": (
        1,
        lambda _: Answer(503, body=b'{"error":{"code":"UNAVAILABLE","message":"secret"}}'),
        "join",
        "status 503 UNAVAILABLE, wanted 200",
    ),
    "forbidden": (
        2,
        lambda _: Answer(403, body=b'{"message":"Forbidden"}'),
        "get",
        "status 403, wanted 200",
    ),
    "a page": (0, lambda a: replace(a, body=b"<html>"), "create", "status 200, and no JSON"),
    "nothing": (1, lambda a: replace(a, body=b""), "join", "another form than the contract's"),
    "a list": (1, lambda a: replace(a, body=b"[]"), "join", "another form than the contract's"),
    "nested without end": (
        2,
        lambda a: replace(a, body=b"[" * 100_000),
        "get",
        "status 200, and no JSON",
    ),
    "no token": (0, body_without("playerToken"), "create", "another form than the contract's"),
    "no players": (1, body_without("room", "players"), "join", "another form"),
    "no ETag": (
        2,
        lambda a: replace(a, headers={}),
        "get",
        "there is no ETag",
    ),
    "always anew": (3, lambda a: replace(a, status=200), "get unchanged", "status 200, wanted 304"),
    "still there": (
        6,
        lambda a: replace(a, status=200),
        "get deleted room",
        "wanted 404",
    ),
    "a redirect": (
        0,
        lambda _: Answer(308, {"Location": "http://127.0.0.1:1/"}),
        "create",
        "status 308: an API does not redirect",
    ),
    "too long": (
        2,
        lambda a: replace(a, headers={"Content-Length": ""}, body=b" " * 100_000, endless=True),
        "get",
        "the answer is longer than 1048576 bytes",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("at", "change", "step", "found"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_answer_is_named_and_no_room_stays(
    api: RoomsApi, at: int, change: Callable[[Answer], Answer], step: str, found: str
) -> None:
    told = []

    def noted(answer: Answer) -> Answer:
        told.append(change(answer))
        return told[-1]

    with changed(api, at, noted) as server, pytest.raises(ContractTestError) as raised:
        smoke(server.url)

    assert raised.value.step == step
    assert found in raised.value.found
    assert [one.name for one in raised.value.done][:at] == [name for name, _ in STEPS][:at]
    # Who is not told the code of a room cannot leave it.
    untold = at == 0 and b"playerToken" not in told[0].body
    assert api.rooms_left() == int(untold)


def test_a_redirect_takes_no_token_along(api: RoomsApi) -> None:
    with serving(api) as other:
        to_other = Answer(307, {"Location": f"{other.url}/rooms"})
        with changed(api, 4, lambda _: to_other) as server, pytest.raises(ContractTestError):
            smoke(server.url)

    assert other.requests == []


def test_a_wrong_answer_is_exit_status_1(
    api: RoomsApi, run: Callable[..., tuple[int, str, str]]
) -> None:
    broken = Answer(500, body=b'{"error":{"code":"INTERNAL_ERROR"}}')
    with changed(api, 1, lambda _: broken) as server:
        status, out, err = run(server.url)
    with changed(api, 1, lambda _: broken) as again:
        status_json, out_json, _ = run(again.url, "--json")

    assert (status, out, status_json) == (1, "", 1)
    assert err.splitlines()[-1] == (
        f"error: {server.url} answers wrongly: join: status 500 INTERNAL_ERROR, wanted 200"
    )
    document = json.loads(out_json)
    assert document["error"]["details"] == {
        "step": "join",
        "found": "status 500 INTERNAL_ERROR, wanted 200",
    }
    assert [step["name"] for step in document["steps"]] == ["create"]


def test_what_a_terminal_would_obey_is_not_printed(
    api: RoomsApi, run: Callable[..., tuple[int, str, str]]
) -> None:
    evil = Answer(500, body=json.dumps({"error": {"code": "\x1b[2J\x9b1m"}}).encode())
    for arguments in ([], ["--json"]):
        with changed(api, 0, lambda _: evil) as server:
            _, out, err = run(server.url, *arguments)

        assert "\x1b" not in out + err
        assert "\x9b" not in out + err


# --- an API that is not there -------------------------------------------------------------------


def test_nobody_listens(run: Callable[..., tuple[int, str, str]]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{unused.getsockname()[1]}"
        status, out, err = run(f"http://{host}", "--json")

    assert (status, parse_output(out)["error"]["code"]) == (2, "FAILED")
    assert f"error: create: {host} cannot be reached: no connection can be made" in err


@contextmanager
def speaking(said: bytes, wait: threading.Event | None = None) -> Iterator[str]:
    """Accept connections, say something that may be no HTTP, and close, or not until told."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            try:
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        connection.recv(65536)
                        connection.sendall(said)
                        if wait:
                            wait.wait()
            except OSError:
                return

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            if wait:
                wait.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.mark.parametrize(
    "said", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"]
)
def test_a_connection_that_breaks(said: bytes) -> None:
    with speaking(said) as host, pytest.raises(FailedError, match=f"^create: {host} cannot"):
        smoke(f"http://{host}")


def test_https_where_plain_http_is_spoken() -> None:
    said = b"HTTP/1.1 400 Bad Request\r\n\r\n"
    with speaking(said) as host, pytest.raises(FailedError, match="TLS fails"):
        smoke(f"https://{host}")


def test_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release.deploy.smoke, "READ_TIMEOUT_SECONDS", 0.1)
    silent = speaking(b"", threading.Event())
    with silent as host, pytest.raises(FailedError, match="nothing came for"):
        smoke(f"http://{host}")


def test_an_answer_that_never_ends() -> None:
    endless = Answer(200, {"Content-Length": ""}, b" ", endless=True)
    times = itertools.count(0, 40)
    with (
        serving(lambda _: endless) as server,
        pytest.raises(FailedError, match="is not there after 60 s"),
    ):
        smoke(server.url, clock=lambda: next(times))


def test_it_goes_away_in_the_middle(api: RoomsApi) -> None:
    """What was done is left as it is: nobody can be asked to clean up."""
    broken = Answer(200, {"Content-Length": "99"}, b"{")
    with (
        changed(api, 1, lambda _: broken) as server,
        pytest.raises(FailedError, match=r"^join: .* cannot be reached: the connection"),
    ):
        smoke(server.url)


def test_a_wrong_answer_stays_one_when_cleaning_up_fails(api: RoomsApi) -> None:
    """What could not be reached afterwards is not what went wrong."""
    answers = iter([Answer(500), Answer(200, {"Content-Length": "99"}, b"{")])
    count = itertools.count()

    def answer(request: Request) -> Answer:
        return api(request) if next(count) == 0 else next(answers)

    with serving(answer) as server, pytest.raises(ContractTestError, match="join: status 500"):
        smoke(server.url)


# --- interruptions ------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_it_leaves_no_room(
    api: RoomsApi, run: Callable[..., tuple[int, str, str]], number: signal.Signals
) -> None:
    before = signal.getsignal(number)

    def interrupt(answer: Answer) -> Answer:
        os.kill(os.getpid(), number)
        return answer

    with changed(api, 2, interrupt) as server:
        status, out, err = run(server.url)

    assert (status, out) == (2, "")
    assert err.splitlines()[-1] == "error: interrupted; nothing was changed"
    assert api.rooms_left() == 0
    assert signal.getsignal(number) is before


# --- URLs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://a.example", "https://a.example"),
        ("https://a.example/", "https://a.example"),
        ("https://a.example:8443/v1/", "https://a.example:8443/v1"),
        ("HTTPS://A.example", "https://a.example"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://127.0.0.1:3000/", "http://127.0.0.1:3000"),
        ("http://[::1]:3000/", "http://[::1]:3000"),
    ],
)
def test_urls(text: str, url: str) -> None:
    assert api_url(text) == url


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "invalid URL of an API: ''"),
        ("dev", "invalid URL of an API"),
        ("a.example", "invalid URL of an API"),
        ("ftp://a.example", "invalid URL of an API"),
        ("https://", "invalid URL of an API"),
        ("https:///rooms", "invalid URL of an API"),
        ("https://a b.example", "invalid URL of an API"),
        ("https://a.example/\n", "invalid URL of an API"),
        ("https://a.example:port", "invalid URL of an API"),
        ("https://a.example:99999", "invalid URL of an API"),
        ("https://[::1", "invalid URL of an API"),
        ("https://me:secret@a.example", "has a user in it"),
        ("ftp://me:secret@a.example", "invalid URL of an API"),
        ("https://a.example?x=1", "a query or a fragment\nhint: leave out [?] and #"),
        ("https://a.example/#x", "a query or a fragment\nhint: leave out [?] and #"),
        ("http://a.example", "plain HTTP is for this machine only\nhint: https://a.example"),
        ("http://localhost.a.example", "plain HTTP is for this machine only"),
        ("http://169.254.169.254", "plain HTTP is for this machine only"),
    ],
)
def test_what_is_no_url(text: str, message: str) -> None:
    with pytest.raises(UsageError, check=shows(message)) as raised:
        api_url(text)

    assert "secret" not in str(raised.value)


def test_a_wrong_url_is_exit_status_2(run: Callable[..., tuple[int, str, str]]) -> None:
    status, out, err = run("https://")

    assert (status, out) == (2, "")
    assert err.startswith("error: invalid URL of an API: 'https://'")


def test_a_stage_is_asked_where_its_stack_says(
    dev: DeployedStage, run: Callable[..., tuple[int, str, str]]
) -> None:
    dev.stack("COMPLETE", ApiUrl="https://nowhere.invalid")

    status, _, err = run("dev")

    assert status == 2
    assert "testing https://nowhere.invalid" in err


def test_a_stage_is_asked_where_the_environment_says(
    dev: DeployedStage,
    api: RoomsApi,
    run: Callable[..., tuple[int, str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dev.stack("COMPLETE", ApiUrl="https://nowhere.invalid")
    with serving(api) as server:
        monkeypatch.setenv("API_URL", server.url)
        status, out, _ = run("dev")

    assert status == 0
    assert len(out.splitlines()) == len(STEPS)


# --- a closed stage -----------------------------------------------------------------------------

KEY = "k" * 43


@pytest.fixture
def closed(api: RoomsApi) -> RoomsApi:
    api.entrance = Entrance(keys=(KEY, "before"), only_through_page=True)
    return api


def test_the_key_opens_an_api_that_is_closed_to_all_but_its_page(closed: RoomsApi) -> None:
    with serving(closed) as server:
        assert [(step.name, step.status) for step in smoke(server.url, key=KEY)] == STEPS
        with pytest.raises(ContractTestError, match="create: status 403"):
            smoke(server.url)


def test_the_header_is_the_one_that_the_function_looks_at() -> None:
    assert release.deploy.smoke.KEY_HEADER == headers.DISTRIBUTION_KEY


@pytest.mark.proof
@pytest.mark.parametrize("where", ["output", "environment"])
def test_a_closed_stage_is_shown_the_key_that_its_live_version_wants(
    dev: DeployedStage,
    closed: RoomsApi,
    run: Callable[..., tuple[int, str, str]],
    monkeypatch: pytest.MonkeyPatch,
    where: str,
) -> None:
    monkeypatch.chdir(dev.project.root)
    cdk_json = json.loads(Path("cdk.json").read_text())
    cdk_json["context"]["stages"]["dev"]["onlyThroughPage"] = True
    Path("cdk.json").write_text(json.dumps(cdk_json))
    dev.release(dev.push())
    variables = {"ONLY_THROUGH_PAGE": "true", "DISTRIBUTION_KEYS": f"{KEY},before"}
    dev.client("lambda").update_function_configuration(
        FunctionName=dev.stage.names.function, Environment={"Variables": variables}
    )
    dev.release(dev.push())
    with serving(closed) as server:
        if where == "environment":
            monkeypatch.setenv("API_URL", server.url)
        else:
            dev.stack("COMPLETE", ApiUrl=server.url, FunctionName=dev.stage.names.function)
        status, out, err = run("dev", "--json")

    assert status == 0
    assert KEY not in out + err


@pytest.mark.usefixtures("dev")
def test_a_stage_that_was_never_deployed(run: Callable[..., tuple[int, str, str]]) -> None:
    status, out, err = run("dev")

    assert (status, out) == (1, "")
    assert err.splitlines() == [
        "dev: account 123456789012, Region ap-northeast-1",
        "error: dev was never deployed in account 123456789012, Region ap-northeast-1, so there is"
        " no API to test",
        "hint: python -m release ship dev",
        "hint: if it is elsewhere: AWS_REGION names the Region, and AWS_PROFILE the account",
    ]


@pytest.mark.usefixtures("dev")
def test_a_stage_that_there_is_not(run: Callable[..., tuple[int, str, str]]) -> None:
    status, _, err = run("prod")

    assert status == 2
    assert "there is no stage 'prod' in cdk.json" in err


def test_help(run: Callable[..., tuple[int, str, str]]) -> None:
    status, out, _ = run("--help")

    assert status == 0
    assert all(word in out for word in ("URL", "--json", "Exit status 0"))
