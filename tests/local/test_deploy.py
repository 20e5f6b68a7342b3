"""The real CDK CLI: what it needs, what it must not see, and what its failures say."""

import json
import sys
from pathlib import Path

import pytest

from imagecheck.errors import FailedError
from local import deploy as module
from local.deploy import CdkCli, DeployError


def app_that(code: str, folder: Path) -> Path:
    """A CDK app that runs ``code`` where it would synthesize."""
    folder.mkdir()
    (folder / "app.py").write_text(code)
    (folder / "cdk.json").write_text(json.dumps({"app": f"{sys.executable} app.py"}))
    return folder


def test_a_failure_says_what_the_app_said_and_where_the_log_is(tmp_path: Path) -> None:
    app = app_that("raise SystemExit('error: no such stage')", tmp_path / "app")
    cdk = CdkCli(endpoint_url="http://localhost:1", work_folder=tmp_path / "work", app_folder=app)
    with pytest.raises(DeployError) as failure:
        cdk.deploy("rooms", {"stage": "local"})
    message = str(failure.value)
    assert message.startswith("`cdk deploy rooms` failed:\n")
    assert "error: no such stage" in message
    assert str(tmp_path / "work" / "cdk.log") in str(failure.value.hint)
    assert "    at " not in message


def test_nothing_of_the_callers_account_reaches_the_cli(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://localhost/credentials")
    code = "import json, os; open('seen.json', 'w').write(json.dumps(dict(os.environ))); exit(1)"
    app = app_that(code, tmp_path / "app")
    cdk = CdkCli(endpoint_url="http://localhost:1", work_folder=tmp_path / "work", app_folder=app)
    with pytest.raises(DeployError):
        cdk.deploy("rooms", {"stage": "local"})
    seen = json.loads((app / "seen.json").read_text())
    assert seen["AWS_ENDPOINT_URL"] == seen["AWS_ENDPOINT_URL_S3"] == "http://localhost:1"
    assert seen["HOME"] == str(tmp_path / "work" / "home")
    assert not {"AWS_PROFILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI"} & set(seen)
    assert json.loads(seen["CDK_CONTEXT_JSON"])["stage"] == "local"


def test_a_missing_cli_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PROJECT", tmp_path)
    cdk = CdkCli(endpoint_url="http://localhost:1", work_folder=tmp_path, app_folder=tmp_path)
    with pytest.raises(FailedError, match="is missing") as missing:
        cdk.bootstrap()
    assert missing.value.hint == "make setup"
