"""`release page`: the page as a browser gets it, when it is right and when it is not."""

import gzip
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from imagecheck.errors import FailedError
from release.cli import main
from release.deploy.page import PageError, look_at_page
from tests.support.imagecheck.http_server import Answer, Request, serving
from tests.support.release.deployed_stage import Cdk, DeployedStage

LIMITS = {
    "Content-Security-Policy": "default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
PAGE = b'<link href="assets/0123/page.css"><script src="assets/0123/main.js"></script>'
KEPT = {"Cache-Control": "public, max-age=31536000, immutable"}
GOOD: Mapping[str, Answer] = {
    "GET /": Answer(200, {**LIMITS, "Cache-Control": "no-cache"}, PAGE),
    "GET /assets/0123/page.css": Answer(200, KEPT, b"body {}"),
    "GET /assets/0123/main.js": Answer(200, KEPT, b"go()"),
    "POST /rooms": Answer(400, {}, b'{"error":{"code":"MISSING_BODY"}}'),
}


def answering(answers: Mapping[str, Answer]) -> Callable[[Request], Answer]:
    return lambda request: answers[f"{request.method} {request.path}"]


def without(answer: Answer, name: str) -> Answer:
    kept = {key: value for key, value in answer.headers.items() if key != name}
    return replace(answer, headers=kept)


def test_the_page_all_that_it_names_and_the_api_are_got() -> None:
    with serving(answering(GOOD)) as server:
        got = look_at_page(server.url)
    assert [(one.name, one.status, one.size) for one in got] == [
        ("GET /", 200, len(PAGE)),
        ("GET /assets/0123/main.js", 200, 4),
        ("GET /assets/0123/page.css", 200, 7),
        ("POST /rooms", 400, 33),
    ]


def test_sizes_are_those_over_the_wire() -> None:
    packed = gzip.compress(PAGE * 100)
    page = replace(GOOD["GET /"], body=packed)
    page = replace(page, headers={**page.headers, "Content-Encoding": "gzip"})
    with serving(answering({**GOOD, "GET /": page})) as server:
        first, *others = look_at_page(server.url)
    assert first.size == len(packed)
    assert len(others) == 3


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("GET /", Answer(404, {}, b""), "GET /: status 404, wanted 200"),
        ("GET /", without(GOOD["GET /"], "Content-Security-Policy"), "no content-security-policy"),
        ("GET /", without(GOOD["GET /"], "Referrer-Policy"), "no referrer-policy"),
        ("GET /", without(GOOD["GET /"], "Cache-Control"), "cache-control is None"),
        ("GET /", replace(GOOD["GET /"], body=b"Welcome"), "this is not the page"),
        ("GET /assets/0123/main.js", Answer(404), r"main\.js: status 404"),
        ("GET /assets/0123/page.css", Answer(200), r"page\.css: cache-control is None"),
        ("POST /rooms", Answer(405), "POST /rooms: status 405, wanted 400"),
        ("POST /rooms", Answer(400, {}, b"{}"), "POST /rooms: this is not the API"),
    ],
)
def test_what_is_wrong_is_named(name: str, answer: Answer, told: str) -> None:
    with serving(answering({**GOOD, name: answer})) as server, pytest.raises(PageError, match=told):
        look_at_page(server.url)


def test_where_nothing_answers_it_could_not_be_done() -> None:
    with serving(answering(GOOD)) as server:
        url = server.url
    with pytest.raises(FailedError, match="cannot be reached"):
        look_at_page(url)


# --- the command --------------------------------------------------------------------------------


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    def run_main(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["release", "page", *arguments])
        status = main()
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return status, printed.out, printed.err

    return run_main


def test_a_stage_without_an_api_is_sent_to_deploy_first(dev: DeployedStage, run: Any) -> None:
    status, _, err = run("dev")
    assert (status, dev.called) == (1, [])
    assert "hint: python -m release ship dev" in err


def test_it_deploys_the_web_stack_then_looks(dev: DeployedStage, run: Any) -> None:
    dev.stack("COMPLETE")
    with serving(answering(GOOD)) as server:
        status, out, err = run("dev", "--url", server.url, "--json")
    assert status == 0
    assert [call[4] for call in dev.called] == [dev.stage.names.web_stack]
    found = json.loads(out)
    assert (found["stage"], found["url"], found["ok"]) == ("dev", server.url, True)
    assert len(found["files"]) == len(GOOD)
    assert "deploying the page of dev" in err


def test_the_page_of_an_assembly(dev: DeployedStage, run: Any) -> None:
    dev.stack("COMPLETE")
    folder = dev.project.root / "build/assembly"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    with serving(answering(GOOD)) as server:
        status, _, _ = run("dev", "--assembly", "build/assembly", "--url", server.url)
    assert status == 0
    assert [call[-1] for call in dev.called] == [f"--app={dev.project.root}/build/assembly"]


def test_a_page_that_is_wrong_is_told_in_json_too(dev: DeployedStage, run: Any) -> None:
    dev.stack("COMPLETE")
    with serving(answering({**GOOD, "POST /rooms": Answer(405)})) as server:
        status, out, err = run("dev", "--url", server.url, "--json")
    assert status == 1
    assert json.loads(out)["error"]["details"]["cause"] == "POST /rooms: status 405, wanted 400"
    assert "is not as it should be: POST /rooms: status 405" in err


def test_a_deployment_that_fails_says_so_and_nothing_is_looked_at(
    dev: DeployedStage, run: Any
) -> None:
    dev.stack("COMPLETE")
    dev.cdk = lambda _: Cdk("no such bucket", status=1)
    with serving(answering(GOOD)) as server:
        status, _, err = run("dev", "--url", server.url)
        assert (status, server.requests) == (1, [])
    assert "was not deployed" in err
    assert "no such bucket" in err


@pytest.mark.proof
def test_a_stack_that_does_not_say_where_the_page_is(dev: DeployedStage, run: Any) -> None:
    dev.stack("COMPLETE")
    status, _, err = run("dev")
    assert status == 2
    assert "hima-five-bomber-dev-web has no output PageUrl" in err
