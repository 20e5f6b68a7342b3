"""Where a stage is: its Region and its account."""

from pathlib import Path

import pytest
from moto import mock_aws

from config.names import StageNames
from config.project import Stage
from config.settings import ConfigurationError, read_settings
from imagecheck.image.aws import AwsError
from tests.support.cdk_context import CDK_JSON, ROOT
from tests.support.release.emulated_ecr import use_credentials_of_nobody

SETTINGS = CDK_JSON["context"]["stages"]["dev"]


def dev(**settings: str) -> Stage:
    return Stage(StageNames("dev"), read_settings({"dev": {**SETTINGS, **settings}}, "dev"))


@pytest.fixture(autouse=True)
def _nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_credentials_of_nobody(tmp_path, monkeypatch)


def test_cdk_json_comes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    assert (dev(region="eu-west-1").region, dev().region) == ("eu-west-1", "us-east-1")


def test_without_either_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION")
    with pytest.raises(ConfigurationError, match="no Region is known for dev") as error:
        dev().client("ecr")
    assert str(error.value.hint).splitlines() == [
        "for this shell: export AWS_REGION=ap-northeast-1, or another one",
        'for the stage: "region": "ap-northeast-1" in context.stages.dev of cdk.json',
    ]


def test_what_runs_on_this_machine_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert dev().local_region == "ap-northeast-1"
    monkeypatch.delenv("AWS_REGION")
    assert dev().local_region == "us-east-1"


@pytest.mark.parametrize("region", ["Tokyo", "", 1])
def test_a_setting_that_is_no_region_is_refused(region: str) -> None:
    with pytest.raises(ConfigurationError, match=r"context\.stages\.dev: .* `\$\.region`"):
        dev(region=region)


def test_the_account_is_that_of_the_credentials() -> None:
    with mock_aws():
        assert dev().place == "account 123456789012, Region ap-northeast-1"


def test_without_credentials_the_message_names_the_region(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(AwsError) as error:
        _ = dev(region="eu-west-1").account
    assert error.value.message == "dev, Region eu-west-1: no AWS credentials are found"
    assert error.value.hint == "set AWS_PROFILE, or run `aws sso login`"


def test_how_to_look_elsewhere_depends_on_what_decides() -> None:
    assert "AWS_REGION names the Region" in dev().elsewhere
    assert '"region" in context.stages.dev of cdk.json names' in dev(region="eu-west-1").elsewhere


def test_nobody_takes_the_setting_for_the_region() -> None:
    """It is None where the environment decides: a command with `--region None` would come of it."""
    for folder in ("release", "local", "demo", "tools"):
        for file in (ROOT / folder).rglob("*.py"):
            assert ".settings.region" not in file.read_text(encoding="utf-8"), file
