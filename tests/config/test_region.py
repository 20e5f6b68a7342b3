"""The Region of the environment: the one that the CDK CLI would take."""

import subprocess
from pathlib import Path

import pytest

from config.region import environment_region
from config.settings import ConfigurationError
from imagecheck.image.aws import AwsError
from tests.support.cdk_context import ROOT

CONFIG = """
[default]
region = eu-north-1
[profile work]
region = eu-west-3
[profile bare]
output = json
[profile keys]
region = eu-west-2
"""
CREDENTIALS = """
[keys]
aws_access_key_id = nobody
aws_secret_access_key = nothing
region = us-west-2
"""
ENVIRONMENTS = {
    "the variable first": ({"AWS_REGION": "us-east-1", "AWS_PROFILE": "work"}, "us-east-1"),
    "its older names after it": (
        {"AWS_DEFAULT_REGION": "us-east-2", "AMAZON_REGION": "us-west-1"},
        "us-west-1",
    ),
    "boto3's variable": ({"AWS_DEFAULT_REGION": "us-east-2"}, "us-east-2"),
    "both": ({"AWS_DEFAULT_REGION": "us-east-2", "AWS_REGION": "us-east-1"}, "us-east-1"),
    "an empty one is none": ({"AWS_REGION": "", "AWS_PROFILE": "work"}, "eu-west-3"),
    "the profile": ({"AWS_PROFILE": "work"}, "eu-west-3"),
    "its credentials before its settings": ({"AWS_PROFILE": "keys"}, "us-west-2"),
    "a profile without one": ({"AWS_PROFILE": "bare"}, "eu-north-1"),
    "no profile": ({}, "eu-north-1"),
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder with profiles, and nothing else that names a Region."""
    (tmp_path / "config").write_text(CONFIG)
    (tmp_path / "credentials").write_text(CREDENTIALS)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    return tmp_path


@pytest.mark.proof
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_it_is_what_the_cdk_cli_finds(
    name: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real CLI tells its app, which here writes it down."""
    variables, region = ENVIRONMENTS[name]
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)

    cdk = str(ROOT / "node_modules/.bin/cdk")
    app = f"printenv CDK_DEFAULT_REGION > {home}/told; false"
    subprocess.run(
        [cdk, "synth", "--no-notices", "--quiet", "--app", app],
        cwd=home,
        capture_output=True,
        check=False,
    )

    assert ((home / "told").read_text().strip(), environment_region()) == (region, region)


def test_without_any_there_is_none(home: Path) -> None:
    """The CDK CLI would take us-east-1."""
    (home / "config").unlink()
    (home / "credentials").unlink()
    assert environment_region() is None


def test_a_profile_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(AwsError, match="AWS_PROFILE names a profile that is not configured"):
        environment_region()


@pytest.mark.parametrize(
    "wrong", ["Tokyo", "ap-northeast-1 ", "ap-northeast-1a", "1", "aws-global"]
)
def test_what_is_no_region_is_refused_by_the_name_of_its_variable(
    wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", wrong)
    with pytest.raises(ConfigurationError) as error:
        environment_region()
    assert error.value.message == (f"AWS_DEFAULT_REGION is {wrong!r}, which is no name of a Region")
    assert str(error.value.hint).startswith("export AWS_REGION=")


def test_a_profile_with_what_is_no_region(home: Path) -> None:
    (home / "config").write_text("[default]\nregion = Tokyo\n")
    with pytest.raises(ConfigurationError, match="region in the AWS profile is 'Tokyo'"):
        environment_region()
