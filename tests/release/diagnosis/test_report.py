"""The report of a diagnosis, for people and for pipelines."""

import json
import re
from dataclasses import replace

import pytest

from release.diagnosis.diagnose import diagnose
from release.diagnosis.facts import (
    ABSENT,
    Absent,
    AliasFacts,
    FunctionFacts,
    LogFacts,
    StageFacts,
    UnreadSource,
)
from release.diagnosis.outcome import Failed
from release.diagnosis.report import as_text
from tests.support.release.diagnosis_situations import (
    ENTRYPOINT_TEXT,
    FUNCTION,
    GOOD,
    IMAGE,
    WORKS,
    image,
    logs,
    printed_json,
)

BROKEN = replace(
    WORKS,
    invocation=Failed("Runtime.InvalidEntrypoint", "Error: ProcessSpawnFailed"),
    logs=logs(ENTRYPOINT_TEXT, ENTRYPOINT_TEXT),
    live_image=image("C1", "the image is for amd64, the function for arm64", "docker buildx …"),
    unread=(UnreadSource("alarms", "the AWS credentials may not do DescribeAlarms"),),
)


@pytest.fixture(autouse=True)
def _width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")


def plain(facts: StageFacts) -> list[str]:
    return re.sub(r"\x1b\[[0-9;]*m", "", as_text(diagnose(facts))).splitlines()


def test_the_cause_its_evidence_and_what_mends_it() -> None:
    assert plain(BROKEN) == [
        "dev: it does not work",
        "",
        "✗ The image is for another CPU than the function",
        "    certain · Runtime.InvalidEntrypoint · rule C1",
        "      check of sha256:aaaaaaaaaaaa…: the image is for amd64, the function for arm64",
        "      invocation of live: Runtime.InvalidEntrypoint: Error: ProcessSpawnFailed",
        "      log of version 3 at 2026-11-25T01:00:00Z: Runtime.InvalidEntrypoint: fork/exec",
        "      /lambda-entrypoint.sh: exec format error (2 times)",
        "    It is not the handler's name: that is read only after the entrypoint has started.",
        "    fix: roll back to the previous image",
        "      $ python -m release rollback dev",
        "    then: docker buildx …",
        "",
        "checked",
        "  stack hima-five-bomber-dev-rooms: UPDATE_COMPLETE",
        "  function hima-five-bomber-dev-rooms: live is version 3, Active, arm64, 512 MB, 20 s,",
        f"  {GOOD}",
        "  image sha256:aaaaaaaaaaaa…: check finds C1",
        "  CodeDeploy d-OLD: Succeeded",
        "  log of the last 60 minutes: 2 failure lines",
        "  table hima-five-bomber-dev-rooms: ACTIVE",
        "  alarms: none in ALARM",
        "  invocation of live: failed",
        "could not be read",
        "  alarms: the AWS credentials may not do DescribeAlarms",
    ]


def test_what_works() -> None:
    lines = plain(replace(WORKS, alias=AliasFacts("3", {"4": 0.1})))

    assert lines[0] == "dev: it works"
    assert "  image sha256:aaaaaaaaaaaa…: check finds no problems" in lines
    assert "  alias live: version 3, 10% to 4" in lines
    assert lines[-1] == "  invocation of live: answered as expected"


def test_other_causes_come_after_the_first() -> None:
    lines = plain(replace(BROKEN, api_may_invoke=False))

    assert lines.index("Less likely:") > lines.index(
        "✗ The image is for another CPU than the function"
    )
    assert "✗ The API may not invoke the alias live" in lines[lines.index("Less likely:") :]


@pytest.mark.parametrize(
    ("facts", "headline"),
    [
        (replace(WORKS, invocation=None, asked_to_invoke=False), "no problems found; the function"),
        (replace(WORKS, invocation=None), "no cause found, but too few sources could be read"),
        (replace(WORKS, api_may_invoke=False), "live answers, but something is wrong"),
        (replace(WORKS, invocation=None, api_may_invoke=False), "something is wrong"),
    ],
)
def test_the_headline_says_no_more_than_is_known(facts: StageFacts, headline: str) -> None:
    assert plain(facts)[0].startswith(f"dev: {headline}")


@pytest.mark.parametrize("absent", [None, ABSENT])
def test_what_is_not_there_is_not_shown_as_if_it_were(absent: Absent | None) -> None:
    facts = replace(WORKS, stack=absent, latest=absent, live=absent, logs=absent, table=absent)

    text = "\n".join(plain(facts))

    assert text.count("there is none") == (4 if absent else 0)


def test_a_command_is_one_line_to_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")

    assert (
        "      $ aws lambda add-permission --function-name hima-five-bomber-dev-rooms"
        " --qualifier live --statement-id api-by-hand --action lambda:InvokeFunction"
        " --principal apigateway.amazonaws.com --region ap-northeast-1"
    ) in plain(replace(WORKS, api_may_invoke=False))


def test_the_document() -> None:
    document = json.loads(printed_json(diagnose(BROKEN)))

    assert list(document)[3:] == [
        "stage",
        "account",
        "region",
        "function",
        "verdict",
        "causes",
        "lookedAt",
        "couldNotLook",
    ]
    assert (document["stage"], document["verdict"]) == ("dev", "broken")
    [cause] = document["causes"]
    assert cause["name"] == "image-c1"
    assert cause["errorType"] == "Runtime.InvalidEntrypoint"
    assert cause["rule"] == "C1"
    assert cause["likelihood"] == "certain"
    assert cause["evidence"][1] == {
        "source": "invocation of live",
        "text": "Runtime.InvalidEntrypoint: Error: ProcessSpawnFailed",
    }
    assert cause["fix"][0] == {
        "text": "roll back to the previous image",
        "command": "python -m release rollback dev",
    }
    assert {"source": "alarms", "found": "none in ALARM"} in document["lookedAt"]
    assert document["couldNotLook"][0]["source"] == "alarms"


def test_a_terminal_obeys_nothing_that_a_log_or_an_image_says() -> None:
    evil = "\x1b[2J\x07\u009b31m\u202eowned\r\nbell"
    facts = replace(
        WORKS,
        live=replace(FUNCTION, state="Failed", state_code=evil, state_reason=evil),
        live_image=replace(IMAGE, findings=image("C1", evil, evil).findings, starts=(evil,)),
        invocation=Failed(evil, evil),
        logs=LogFacts(60),
        unread=(UnreadSource(evil, evil),),
    )
    assert isinstance(facts.live, FunctionFacts)

    for printed in ("\n".join(plain(facts)), printed_json(diagnose(facts))):
        assert "owned" in printed
        assert all(c.isprintable() or c == "\n" for c in printed)
        assert "bell" not in printed.splitlines()
