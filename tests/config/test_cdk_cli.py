"""The project's own CDK CLI, run quietly."""

from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ProfileNotFound

from config.cdk_cli import cdk_environment, run_cdk
from imagecheck.errors import FailedError


def test_a_missing_cdk_cli_is_reported_with_how_to_install_it(tmp_path: Path) -> None:
    with pytest.raises(FailedError, match="is missing") as error:
        run_cdk(tmp_path, ["synth"], {})
    assert error.value.hint == "make setup"


def test_it_is_told_the_region_and_the_profile_that_boto3_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """boto3 and the CLI have another order of the two variables."""
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_PROFILE", "one")
    monkeypatch.setenv("AWS_DEFAULT_PROFILE", "other")
    told = cdk_environment(region="eu-west-1")
    assert (told["AWS_REGION"], told["AWS_PROFILE"]) == ("eu-west-1", "other")
    with pytest.raises(ProfileNotFound, match="other"):
        boto3.Session()


def test_without_them_nothing_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    assert not {"AWS_REGION", "AWS_PROFILE"} & cdk_environment().keys()


@pytest.mark.parametrize("exported", ["true", "false", None])
def test_only_a_gate_has_templates_validated_whatever_the_shell_says(
    exported: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The CDK library looks for this variable: see README.md of aws-cdk-lib."""
    monkeypatch.delenv("CDK_VALIDATION", raising=False)
    if exported:
        monkeypatch.setenv("CDK_VALIDATION", exported)
    assert cdk_environment()["CDK_VALIDATION"] == "false"
    assert cdk_environment(is_gate=True)["CDK_VALIDATION"] == "true"
