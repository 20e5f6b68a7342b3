"""A stage in an emulated account."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from moto.awslambda.models import LambdaFunction

from tests.support.release.commanding import Run, runner
from tests.support.release.deployed_stage import DeployedStage, deployed_stage
from tests.support.release.emulated_ecr import REGION, use_credentials_of_nobody

GetCode = Callable[[LambdaFunction], dict[str, Any]]


@pytest.fixture(autouse=True)
def _in_tokyo(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Region of the shell: the stages of cdk.json name none."""
    monkeypatch.setenv("AWS_REGION", REGION)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a release command in this process: its status, output and error output."""
    return runner(monkeypatch, capsys)


@pytest.fixture
def dev(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DeployedStage]:
    """The stage `dev` of a project, which is the current folder; it was never deployed."""
    use_credentials_of_nobody(tmp_path, monkeypatch)
    monkeypatch.setenv("MOTO_LAMBDA_STUB_ECR", "false")
    monkeypatch.setattr(LambdaFunction, "get_code", _with_whole_uri(LambdaFunction.get_code))
    monkeypatch.chdir(tmp_path)
    with deployed_stage(tmp_path) as stage:
        yield stage


def _with_whole_uri(get_code: GetCode) -> GetCode:
    """Patch what moto says of an image named by digest: it cuts the URI at the first colon.

    The URI itself is shared by all versions of a function, so each version's digest is its own.
    """

    def patched(function: LambdaFunction) -> dict[str, Any]:
        answer = get_code(function)
        if uri := answer["Code"].get("ImageUri"):
            repository = uri.partition("@")[0]
            answer["Code"]["ResolvedImageUri"] = f"{repository}@sha256:{function.code_sha_256}"
        return answer

    return patched
