"""The whole system, as `make run` starts it, played over HTTP; and what the account then holds."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from config.image_lock import read_image_lock
from lambda_src.rooms.routes import ROUTES
from local.system import System
from tests.support.cdk_context import ROOT
from tests.support.without_test_tools import refusing
from tools import openapi

pytestmark = pytest.mark.xdist_group("browser")

PAGE = "https://lobby.example"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Client:
    """An HTTP client that knows nothing but the URL."""

    url: str

    def __call__(
        self, method: str, path: str, body: Any = None, token: str = "", **headers: str
    ) -> Answer:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            sent["content-type"] = "application/json"
        if token:
            sent["authorization"] = f"Bearer {token}"
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return self._answer(response)
        except urllib.error.HTTPError as refused:
            return self._answer(refused)

    def _answer(self, response: Any) -> Answer:
        text = response.read()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, headers, json.loads(text) if text else None)


@pytest.fixture(scope="module")
def call(system: System) -> Client:
    return Client(system.url)


def test_five_friends_meet_and_leave(call: Client) -> None:
    host = call("POST", "/rooms", {"hostName": "ひま"})
    assert host.status == 200
    code = host.body["roomId"]

    friends = [call("POST", f"/rooms/{code}/join", {"playerName": name}) for name in "二三四五"]
    assert [friend.status for friend in friends] == [200] * 4
    assert call("POST", f"/rooms/{code}/join", {"playerName": "六"}).status == 409

    room = call("GET", f"/rooms/{code.lower()}")
    assert [player["name"] for player in room.body["players"]] == ["ひま", *"二三四五"]
    assert call("GET", f"/rooms/{code}", if_none_match=room.headers["etag"]).status == 304

    left = call("DELETE", f"/rooms/{code}/leave", token=host.body["playerToken"])
    assert left.body["room"]["hostId"] == friends[0].body["playerId"]
    for friend in friends:
        last = call("DELETE", f"/rooms/{code}/leave", token=friend.body["playerToken"])
        assert last.status == 200
    assert last.body["room"] is None
    # The edge says for a second what it was told before.
    deadline = time.monotonic() + 30
    while call("GET", f"/rooms/{code}").status != 404:
        assert time.monotonic() < deadline


def test_a_full_width_code_in_the_path_is_the_same_room(call: Client) -> None:
    code = call("POST", "/rooms", {"hostName": "ひま"}).body["roomId"]
    typed = "".join(f"%EF%BC%{ord(character) - 0x20 + 0x80:02X}" for character in code.upper())
    assert call("GET", f"/rooms/{typed}").body["roomId"] == code


@pytest.mark.parametrize(
    ("route", "body", "refusal"),
    [
        ("POST /rooms", None, (400, "MISSING_BODY")),
        ("POST /rooms", {}, (400, "VALIDATION_ERROR")),
        ("POST /rooms", b'{"hostName": "\xff"}', (400, "VALIDATION_ERROR")),
        ("POST /rooms", b'{"hostName": "x", ', (400, "INVALID_JSON")),
        ("POST /rooms", {"hostName": "x" * 5000}, (413, "PAYLOAD_TOO_LARGE")),
        ("POST /rooms/BCDFGH/join", {"playerName": "x"}, (404, "NOT_FOUND")),
        ("GET /rooms/BCDFGH", None, (404, "NOT_FOUND")),
        ("DELETE /rooms/BCDFGH/leave", None, (401, "UNAUTHORIZED")),
    ],
)
def test_refusals_come_as_the_document_says(
    call: Client, route: str, body: Any, refusal: tuple[int, str]
) -> None:
    method, path = route.split()
    answer = call(method, path, body)
    assert (answer.status, answer.body["error"]["code"]) == refusal
    schemas = openapi.document()["components"]
    jsonschema.validate(
        answer.body, {"$ref": "#/components/schemas/ErrorBody", "components": schemas}
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/rooms"), ("PUT", "/rooms"), ("POST", "/rooms/BCDFGH/leave")],
)
def test_the_gateway_answers_unknown_routes(call: Client, method: str, path: str) -> None:
    answer = call(method, path)
    assert (answer.status, answer.body) == (404, {"message": "Not Found"})


def test_a_page_of_another_origin_may_call_it(call: Client) -> None:
    preflight = call(
        "OPTIONS",
        "/rooms",
        origin=PAGE,
        access_control_request_method="POST",
        access_control_request_headers="content-type",
    )
    assert preflight.status == 204
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert "authorization" in preflight.headers["access-control-allow-headers"]
    created = call("POST", "/rooms", {"hostName": "ひま"}, origin=PAGE)
    assert created.headers["access-control-allow-origin"] == "*"
    assert "etag" in created.headers["access-control-expose-headers"]


def test_the_function_runs_what_was_deployed_by_digest(call: Client, aws: Any) -> None:
    call("POST", "/rooms", {"hostName": "ひま"})
    function = aws("lambda").get_function(FunctionName="hima-five-bomber-local-rooms:live")
    (image,) = aws("ecr").describe_images(repositoryName="hima-five-bomber-local-rooms")[
        "imageDetails"
    ]
    assert function["Code"]["ResolvedImageUri"].endswith(f"@{image['imageDigest']}")
    assert function["Configuration"]["Architectures"] == ["arm64"]
    (item, *_) = aws("dynamodb").scan(TableName="hima-five-bomber-local-rooms")["Items"]
    assert "roomId" in item


def test_the_deployed_api_has_the_routes_of_the_table(aws: Any) -> None:
    gateway = aws("apigatewayv2")
    (api,) = gateway.get_apis()["Items"]
    routes = gateway.get_routes(ApiId=api["ApiId"])["Items"]
    assert {route["RouteKey"] for route in routes} == {route.key for route in ROUTES}


def test_the_function_logs_one_json_line_a_request(call: Client, system: System) -> None:
    secret = "ひみつの名前"
    host = call("POST", "/rooms", {"hostName": secret}).body
    call("DELETE", f"/rooms/{host['roomId']}/leave", token=host["playerToken"])

    lines = lines_about(host["roomId"], system.function_log, count=2)

    assert [(line["route"], line["status"]) for line in lines] == [
        ("POST /rooms", 200),
        ("DELETE /rooms/{roomId}/leave", 200),
    ]
    assert all(line["requestId"] for line in lines)
    text = system.function_log.read_text(encoding="utf-8")
    assert secret not in text
    assert host["playerToken"] not in text


def lines_about(room: str, log: Path, *, count: int) -> list[dict[str, Any]]:
    """Wait for log lines: an answer does not wait for the line that was written before it."""
    deadline = time.monotonic() + 30
    lines: list[dict[str, Any]] = []
    while len(lines) < count and time.monotonic() < deadline:
        written = log.read_text(encoding="utf-8").splitlines(keepends=True)
        lines = [json.loads(line) for line in written if room in line and line.endswith("\n")]
        time.sleep(0.01)
    return lines


def test_an_edit_shows_on_the_next_request(call: Client, source: Path) -> None:
    handlers = source / "rooms" / "handlers.py"
    before = handlers.read_text(encoding="utf-8")
    host = call("POST", "/rooms", {"hostName": "ひま"}).body
    handlers.write_text(before.replace("Successfully left the room", "またね"), encoding="utf-8")
    left = call("DELETE", f"/rooms/{host['roomId']}/leave", token=host["playerToken"])
    handlers.write_text(before, encoding="utf-8")
    assert left.body["message"] == "またね"


def test_the_lock_file_pins_the_image_that_was_built(system: System) -> None:
    """It is one that the app reads."""
    folder = system.function_log.parent
    pin = read_image_lock(folder / "image-lock.json")["local"]
    index = json.loads((folder / "image" / "index.json").read_text())
    assert pin.digest == index["manifests"][0]["digest"]


@pytest.mark.parametrize(("asked", "host"), [([], "127.0.0.1"), (["HOST=0.0.0.0"], "0.0.0.0")])
def test_make_run_is_this_system_on_the_port_and_host_that_are_asked_for(
    asked: list[str], host: str
) -> None:
    commands = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", "run", "PORT=8080", *asked],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert commands.splitlines()[-1] == f"python -m local --host {host} --port 8080"


@pytest.mark.proof
def test_it_prints_steps_a_url_and_a_curl_that_works_and_ends_on_ctrl_c(tmp_path: Path) -> None:
    """It needs no test tools."""
    process = subprocess.Popen(
        [sys.executable, "-m", "local", "--port", "0"],
        cwd=tmp_path,
        env=refusing(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    printed = ""
    for line in process.stdout:
        printed += line
        if "Ctrl-C" in line:
            break
    try:
        curl = re.search(r"^ *(curl .*)$", printed, re.MULTILINE)
        assert curl, printed
        assert play(curl[1]).body["room"]["maxPlayers"] == 5
    finally:
        os.killpg(process.pid, signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
    assert printed.count(" s\n") == 8
    assert "Traceback" not in printed + rest
    assert "Ended." in rest


def play(curl: str) -> Answer:
    """Do what a printed command line would do, without needing curl."""
    command, x, method, url, h, header, d, data = shlex.split(curl)
    assert (command, x, h, d) == ("curl", "-X", "-H", "-d")
    assert header == "content-type: application/json"
    host, _, path = url.rpartition("/")
    return Client(host)(method, f"/{path}", json.loads(data))
