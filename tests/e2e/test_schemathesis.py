"""Schemathesis, with all its checks and phases, finds nothing in the running system.

Beside what is the nature of API Gateway and of CloudFront, and of a lobby: ``NAMED``.
"""

import base64
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from lambda_src.rooms import tokens
from lambda_src.rooms.routes import ROUTES
from local.system import System
from tests.support.cdk_context import ROOT
from tools import openapi

# It takes minutes on a machine that is busy.
pytestmark = [
    pytest.mark.proof,
    pytest.mark.xdist_group("browser"),
    pytest.mark.timeout(900),
]

EXAMPLES: Final = 50
CONFIG: Final = ROOT / "tests/support/schemathesis/schemathesis.toml"


@dataclass(frozen=True)
class Call:
    """A request and its answer."""

    method: str
    path: str
    status: int
    body: bytes

    @classmethod
    def of(cls, interaction: dict[str, Any], url: str) -> "Call":
        request, response = interaction["request"], interaction["response"]
        return cls(
            method=request["method"],
            path=request["uri"].removeprefix(url),
            status=response["status_code"],
            body=base64.b64decode((response["content"] or {}).get("$base64", "")),
        )


@dataclass(frozen=True)
class Finding:
    """A check that a call did not pass, with the calls before it in its scenario."""

    check: str
    text: str
    call: Call
    before: tuple[Call, ...]


def _is_no_route(finding: Finding) -> bool:
    call = finding.call
    return (
        finding.check == "unsupported_method"
        and call.status == 404
        and call.body == b'{"message": "Not Found"}'
    )


def _is_no_method_of_the_path(finding: Finding) -> bool:
    call = finding.call
    return (
        finding.check == "unsupported_method"
        and call.status == 403
        and call.body == b"<html><body><h1>403 Forbidden</h1></body></html>"
    )


def _is_left_by_everybody(finding: Finding) -> bool:
    room = re.match("/rooms/[^/?]+", finding.call.path)
    return (
        finding.check in {"ensure_resource_availability", "use_after_free"}
        and finding.call.status == 404
        and room is not None
        and any(
            call.method == "DELETE"
            and call.path.startswith(f"{room[0]}/leave")
            and call.status == 200
            and json.loads(call.body)["room"] is None
            for call in finding.before
        )
    )


def _is_busy(finding: Finding) -> bool:
    call = finding.call
    return (
        finding.check == "not_a_server_error"
        and call.status == 503
        and json.loads(call.body).get("error", {}).get("code") == "UNAVAILABLE"
    )


NAMED: Final[dict[str, Callable[[Finding], bool]]] = {
    "API Gateway answers a method that no route has with 404, not with 405": _is_no_route,
    "CloudFront answers a method that a path does not take with 403": _is_no_method_of_the_path,
    "a room goes with its last player": _is_left_by_everybody,
    "a table that does not answer in time, on a machine that is busy, is 503": _is_busy,
}
"""What Schemathesis finds and what is right all the same."""


@pytest.fixture(scope="module")
def events(system: System, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What Schemathesis reports of a run."""
    folder = tmp_path_factory.mktemp("schemathesis")
    report = folder / "report.ndjson"
    program = str(Path(sys.executable).with_name("schemathesis"))
    command = [program, "--config-file", str(CONFIG), "run", str(openapi.PATH)]
    command += ["--url", system.url, "--checks", "all", "--mode", "all", "--seed", "1"]
    command += ["--phases", "examples,coverage,fuzzing,stateful", "--continue-on-failure"]
    command += ["--max-examples", str(EXAMPLES), "--no-color", "--output-sanitize", "false"]
    command += ["--report", "ndjson", "--report-ndjson-path", str(report)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    # 0: nothing found, 1: something; which of it is named is for the test to say.
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    return [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()]


def _recorders(events: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for event in events:
        if finished := event.get("ScenarioFinished"):
            yield finished["recorder"]


def _calls(events: list[dict[str, Any]], url: str) -> Iterator[Call]:
    for recorder in _recorders(events):
        for interaction in recorder.get("interactions", {}).values():
            if interaction.get("response"):
                yield Call.of(interaction, url)


def _findings(events: list[dict[str, Any]], url: str) -> Iterator[Finding]:
    for recorder in _recorders(events):
        interactions = recorder.get("interactions", {})
        for number, (case, interaction) in enumerate(interactions.items()):
            for check in recorder.get("checks", {}).get(case, []):
                if check["status"] != "success":
                    before = [one for one in [*interactions.values()][:number] if one["response"]]
                    yield Finding(
                        check=check["name"],
                        text=json.dumps(check, ensure_ascii=False),
                        call=Call.of(interaction, url),
                        before=tuple(Call.of(one, url) for one in before),
                    )


def test_every_phase_is_run_to_its_end(events: list[dict[str, Any]]) -> None:
    phases = {
        event["PhaseFinished"]["phase"]["name"]: event["PhaseFinished"]["status"]
        for event in events
        if "PhaseFinished" in event
    }
    assert {"examples", "coverage", "fuzzing", "stateful"} <= phases.keys()
    assert set(phases.values()) <= {"success", "failure", "skip"}
    assert not any("NonFatalError" in event or "FatalError" in event for event in events)


def test_nothing_is_found_but_what_is_named(system: System, events: list[dict[str, Any]]) -> None:
    found = [
        (finding.check, finding.call, finding.text)
        for finding in _findings(events, system.url)
        if not any(is_one(finding) for is_one in NAMED.values())
    ]
    assert found == []


def test_every_route_was_used_as_it_should_and_as_it_should_not(
    system: System, events: list[dict[str, Any]]
) -> None:
    """So that nothing found means something. A machine that is busy may answer 503 instead."""
    answered = Counter(
        (
            call.method,
            re.sub("^/rooms/[^/?]+", "/rooms/{roomId}", call.path).partition("?")[0],
            call.status,
        )
        for call in _calls(events, system.url)
    )
    assert answered.total() > 3 * EXAMPLES
    assert answered["POST", "/rooms", 200] > 0
    for route in ROUTES:
        right = [answered[route.method, route.path, status] for status in (200, 503)]
        assert any(right), route.key
        refused = [
            status
            for method, path, status in answered
            if (method, path) == (route.method, route.path) and status >= 400
        ]
        assert refused, route.key
    assert {status for _, _, status in answered if status >= 500} <= {503}


def test_no_token_of_the_run_is_in_the_log(system: System, events: list[dict[str, Any]]) -> None:
    sent = {
        token
        for recorder in _recorders(events)
        for interaction in recorder.get("interactions", {}).values()
        for header in interaction["request"]["headers"].get("Authorization", [])
        if tokens.is_well_formed(token := header.removeprefix("Bearer "))
    }
    log = Path(system.function_log).read_text(encoding="utf-8")
    assert len(sent) > EXAMPLES
    assert '"message": "request"' in log
    assert not [token for token in sent if token in log]
