"""The command as people and pipelines run it, and one incident with a real image."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import release.commands.diagnose
from config.image_lock import write_image_lock
from config.project import Project
from imagecheck.errors import FailedError
from imagecheck.image.layer_cache import LayerCache
from imagecheck.progress import ProgressBar
from local.docker_registry import running_registry
from local.emulated_aws.server import CREDENTIALS, emulated_aws
from release.cli import main
from release.diagnosis.diagnose import diagnose
from release.diagnosis.facts import StageFacts
from release.diagnosis.gather import Question, gather
from release.diagnosis.images import check_with
from release.diagnosis.outcome import Failed
from tests.support.cdk_context import ROOT
from tests.support.imagecheck.images import File, Image, layer_of, write_image
from tests.support.imagecheck.programs import HOST, aws_like_base, busybox, of_other_cpu
from tests.support.imagecheck.tools import skopeo_copy
from tests.support.release.diagnosis_situations import STAGE, WORKS

COMMAND = [sys.executable, "-m", "release", "diagnose"]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*COMMAND, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "AWS_EC2_METADATA_DISABLED": "true", **environment},
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done


def run_main(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, str, str]:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", ["release", "diagnose", *arguments])
    status = main()
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def answering(monkeypatch: pytest.MonkeyPatch, facts: StageFacts) -> list[Question]:
    asked = []

    def gathered(_project: Project, _stage: object, question: Question, **_: object) -> StageFacts:
        asked.append(question)
        return replace(facts, asked_to_invoke=question.invoke)

    monkeypatch.setattr(release.commands.diagnose, "gather", gathered)
    return asked


@pytest.mark.proof
def test_a_stage_without_anything(tmp_path: Path) -> None:
    """Against the emulated AWS, by the services' own protocols."""
    with emulated_aws() as endpoint:
        done = run(
            "dev", "--json", AWS_ENDPOINT_URL=endpoint, XDG_CACHE_HOME=str(tmp_path), **CREDENTIALS
        )
    assert done.returncode == 1
    document = json.loads(done.stdout)
    [cause] = document["causes"]
    assert cause["name"] == "never-deployed"
    assert [remedy["command"] for remedy in cause["fix"]] == ["python -m release ship dev"]
    assert done.stderr.splitlines()[:2] == [
        "dev: account 123456789012, Region ap-northeast-1",
        "asking AWS about dev ...",
    ]
    assert (document["account"], document["region"]) == ("123456789012", "ap-northeast-1")


@pytest.mark.proof
def test_no_credentials(tmp_path: Path) -> None:
    nobody = dict.fromkeys(CREDENTIALS, "")
    nowhere = str(tmp_path / "none")

    done = run("dev", AWS_CONFIG_FILE=nowhere, AWS_SHARED_CREDENTIALS_FILE=nowhere, **nobody)

    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert lines[0] == "dev, Region ap-northeast-1: no AWS credentials are found"
    assert lines[-2:] == [
        "error: no source of dev could be read: no AWS credentials are found",
        "hint: set AWS_PROFILE, or run `aws sso login`",
    ]


@pytest.mark.proof
def test_no_network(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")

    status, out, err = run_main(monkeypatch, capsys, "dev")

    assert (status, out) == (2, "")
    assert "error: no source of dev could be read: nothing answers at AWS_ENDPOINT_URL" in err


@pytest.mark.parametrize(
    ("facts", "arguments", "expected"),
    [
        (WORKS, (), 0),
        (replace(WORKS, invocation=None), ("--no-invoke",), 0),
        (replace(WORKS, invocation=None), (), 2),
        (replace(WORKS, invocation=Failed("Runtime.OutOfMemory", "")), (), 1),
        (replace(WORKS, api_may_invoke=False), (), 1),
    ],
)
def test_the_exit_status(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    facts: StageFacts,
    arguments: tuple[str, ...],
    expected: int,
) -> None:
    answering(monkeypatch, facts)

    status, out, _ = run_main(monkeypatch, capsys, "dev", *arguments)

    assert status == expected
    assert out.startswith("dev: ")


def test_options(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    asked = answering(monkeypatch, WORKS)

    run_main(monkeypatch, capsys, "dev")
    run_main(monkeypatch, capsys, "dev", "--minutes", "240", "--no-invoke")
    status, _, err = run_main(monkeypatch, capsys, "dev", "--minutes", "0")

    assert asked == [Question(minutes=60, invoke=True), Question(minutes=240, invoke=False)]
    assert status == 2
    assert "--minutes" in err


def test_a_stage_that_there_is_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = run_main(monkeypatch, capsys, "moon")

    assert (status, out) == (2, "")
    assert "there is no stage 'moon'" in err


def test_an_interruption_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(release.commands.diagnose, "gather", interrupted)

    assert run_main(monkeypatch, capsys, "dev") == (
        2,
        "",
        "dev, Region ap-northeast-1: no AWS credentials are found\n"
        "error: interrupted; nothing was changed\n",
    )


# --- the incident, with a real image in a real registry -----------------------------------------


@pytest.fixture
def pushed(tmp_path: Path) -> Iterator[str]:
    """An image whose configuration says one CPU over programs of another, as ``HOST/REPO@…``."""
    layers = [
        layer_of(*aws_like_base()),
        layer_of(File("bin/busybox", of_other_cpu(busybox()), 0o755)),
        layer_of(File("var/task/app.py", "def handler(event, context): return event\n")),
    ]
    image: Image = write_image(
        tmp_path / "image", layers, entrypoint=["/lambda-entrypoint.sh"], cmd=["app.handler"]
    )
    with running_registry(tmp_path / "registry") as host:
        skopeo_copy(image.reference, f"docker://{host}/rooms:v1", "--preserve-digests")
        yield f"{host}/rooms@{image.digest}"


def test_the_incident_is_named_from_the_bytes_of_its_image(tmp_path: Path, pushed: str) -> None:
    architecture = {"amd64": "x86_64", "arm64": "arm64"}[HOST]
    project = Project(tmp_path, {"imageLock": "image-lock.json", "stages": {}})
    write_image_lock(project.lock, {})

    class Lambda:
        """Only these operations are answered; all other services cannot be asked."""

        def get_function(self, FunctionName: str, Qualifier: str) -> dict[str, Any]:  # noqa: N803
            del FunctionName
            return {
                "Configuration": {
                    "Version": "3" if Qualifier == "live" else Qualifier,
                    "PackageType": "Image",
                    "Architectures": [architecture],
                    "MemorySize": 512,
                    "Timeout": 20,
                },
                "Code": {"ResolvedImageUri": pushed},
            }

        def invoke(self, **_: Any) -> dict[str, Any]:
            error = {
                "errorType": "Runtime.InvalidEntrypoint",
                "errorMessage": "RequestId: 1 Error: ProcessSpawnFailed",
            }
            payload = io.BytesIO(json.dumps(error).encode())
            return {"FunctionError": "Unhandled", "Payload": payload}

        def __getattr__(self, operation: str) -> Any:
            raise AttributeError(operation)

    def clients(service: str, **_: float | None) -> Any:
        if service != "lambda":
            raise FailedError(f"{service}: the AWS credentials may not do that")
        return Lambda()

    facts = gather(
        project,
        STAGE,
        Question(minutes=60, invoke=True),
        clients=clients,
        check=check_with(LayerCache(None), ProgressBar()),
    )
    first = diagnose(facts).causes[0]

    assert (first.name, first.likelihood) == ("image-c2", "certain")
    assert first.error_type == "Runtime.InvalidEntrypoint"
    text = " ".join(evidence.text for evidence in first.evidence)
    assert "/lambda-entrypoint.sh" in text
    assert "ProcessSpawnFailed" in text
    assert len(facts.unread) >= 6
