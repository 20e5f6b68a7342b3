"""The real CDK CLI: what it needs, what it must not see, and what its failures say."""

import json
import sys
import time
from pathlib import Path

import pytest

from imagecheck.errors import FailedError
from local import deploy as module
from local.deploy import CdkCli, DeployError
from tests.support.processes import processes_that_know


def app_that(code: str, folder: Path) -> Path:
    """A CDK app that runs ``code`` where it would synthesize."""
    folder.mkdir()
    (folder / "app.py").write_text(code)
    (folder / "cdk.json").write_text(json.dumps({"app": f"{sys.executable} app.py"}))
    return folder


def deploy(cdk: CdkCli) -> None:
    """Deploy to the end, in an account that counts as bootstrapped."""
    with cdk.deploying(["rooms"], {"stage": "local"}) as run:
        run.go_on()
        while not run.is_done():
            time.sleep(0.02)


@pytest.mark.proof
def test_nothing_is_deployed_before_it_may_go_on(tmp_path: Path) -> None:
    code = """
import json, os
from pathlib import Path
folder = Path(os.environ["CDK_OUTDIR"])
folder.mkdir(exist_ok=True)
folder.joinpath("manifest.json").write_text(json.dumps({"version": "36.0.0"}))
"""
    app = app_that(code, tmp_path / "app")
    work = tmp_path / "it's work"
    cdk = CdkCli(endpoint_url="http://localhost:1", work_folder=work, app_folder=app)
    with cdk.deploying(["rooms"], {"stage": "local"}) as run:
        while not run.is_synthesized():
            assert not run.is_done()
        assert run.assembly.joinpath("manifest.json").exists()
        assert not run.is_done()
        run.go_on()
        with pytest.raises(DeployError, match="contains no stacks"):
            while not run.is_done():
                time.sleep(0.02)


@pytest.mark.proof
def test_its_block_ends_the_cli_with_all_that_it_has_started(tmp_path: Path) -> None:
    app = app_that("open('started', 'w'); import time; time.sleep(600)", tmp_path / "app")
    work = tmp_path / "work"
    cdk = CdkCli(endpoint_url="http://localhost:1", work_folder=work, app_folder=app)
    with cdk.deploying(["rooms"], {"stage": "local"}) as run:
        while not app.joinpath("started").exists():
            assert not run.is_done()
        assert len(processes_that_know(str(work))) > 1
    assert not processes_that_know(str(work))


@pytest.mark.proof
def test_node_keeps_the_cli_compiled_and_not_what_the_app_loads(tmp_path: Path) -> None:
    code = "import json, os; open('seen.json', 'w').write(json.dumps(dict(os.environ))); exit(1)"
    app = app_that(code, tmp_path / "app")
    work = tmp_path / "work"
    cdk = CdkCli(endpoint_url="http://localhost:1", work_folder=work, app_folder=app)
    with pytest.raises(DeployError):
        deploy(cdk)
    assert "NODE_COMPILE_CACHE" not in json.loads((app / "seen.json").read_text())
    assert any(Path(sys.prefix, "node").iterdir())


@pytest.mark.proof
def test_a_failure_says_what_the_app_said_and_where_the_log_is(tmp_path: Path) -> None:
    app = app_that("raise SystemExit('error: no such stage')", tmp_path / "app")
    cdk = CdkCli(endpoint_url="http://localhost:1", work_folder=tmp_path / "work", app_folder=app)
    with pytest.raises(DeployError) as failure:
        deploy(cdk)
    message = str(failure.value)
    assert message.startswith("`cdk deploy rooms` failed:\n")
    assert "error: no such stage" in message
    assert str(tmp_path / "work" / "cdk-deploy.log") in str(failure.value.hint)
    assert "    at " not in message


@pytest.mark.proof
def test_nothing_of_the_callers_account_reaches_the_cli(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://localhost/credentials")
    code = "import json, os; open('seen.json', 'w').write(json.dumps(dict(os.environ))); exit(1)"
    app = app_that(code, tmp_path / "app")
    cdk = CdkCli(endpoint_url="http://localhost:1", work_folder=tmp_path / "work", app_folder=app)
    with pytest.raises(DeployError):
        deploy(cdk)
    seen = json.loads((app / "seen.json").read_text())
    assert seen["AWS_ENDPOINT_URL"] == seen["AWS_ENDPOINT_URL_S3"] == "http://localhost:1"
    assert seen["HOME"] == str(tmp_path / "work" / "home")
    assert not {"AWS_PROFILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI"} & set(seen)
    assert json.loads(seen["CDK_CONTEXT_JSON"])["stage"] == "local"


def test_a_missing_cli_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PROJECT", tmp_path)
    cdk = CdkCli(endpoint_url="http://localhost:1", work_folder=tmp_path, app_folder=tmp_path)
    with pytest.raises(FailedError, match="is missing") as missing, cdk.bootstrapping():
        pass
    assert missing.value.hint == "make setup"
