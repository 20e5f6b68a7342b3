from typing import Any

import pytest

from config.settings import ConfigurationError, read_github, read_settings
from lambda_src.rooms.guesses import LONGEST_REQUEST_S
from tests.support.cdk_context import CDK_JSON, GITHUB, STAGES

ARN = "arn:aws:acm:us-east-1:" + "1" * 12 + ":certificate/0123-abcd"
STAGES_JSON: dict[str, Any] = CDK_JSON["context"]["stages"]


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_of_cdk_json_is_well_formed(stage: str) -> None:
    settings = read_settings(STAGES_JSON, stage)
    assert settings.region is None
    assert settings.architecture == "arm64"


def test_only_prd_keeps_data() -> None:
    assert [stage for stage in STAGES if read_settings(STAGES_JSON, stage).retain_data] == ["prd"]


@pytest.mark.parametrize("stage", STAGES)
def test_the_slowest_request_ends_before_the_function_and_the_function_before_the_api(
    stage: str,
) -> None:
    timeout_s = read_settings(STAGES_JSON, stage).timeout_seconds
    assert LONGEST_REQUEST_S < timeout_s < 30


def test_an_unknown_stage_is_answered_with_those_that_exist() -> None:
    with pytest.raises(ConfigurationError, match=r"no stage 'prod' in cdk\.json") as unknown:
        read_settings(STAGES_JSON, "prod")
    assert "dev, prd" in str(unknown.value.hint)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"memoryMB": 512}, "unknown field `memoryMB`"),
        ({"memoryMb": "512"}, "memoryMb"),
        ({"memoryMb": 64}, "memoryMb"),
        ({"architecture": "amd64"}, "architecture"),
        ({"timeoutSeconds": 30}, "timeoutSeconds"),
        ({"timeoutSeconds": int(LONGEST_REQUEST_S)}, "timeoutSeconds"),
        ({"logRetention": "FOREVER"}, "logRetention"),
        ({"allowedOrigins": []}, "allowedOrigins"),
        ({"reservedConcurrency": 0}, "reservedConcurrency"),
        ({"requestsPerClient": 9}, "requestsPerClient"),
        ({"requestsPerClient": 3000, "requestsPerSecond": 50}, r"3000 a minute.* have 3000"),
        ({"monthlyBudgetUsd": 0}, "monthlyBudgetUsd"),
        ({"table": "a room"}, "table"),
        ({"table": ""}, "table"),
        ({"domain": {"name": "play.example.com"}}, "certificateArn"),
        ({"domain": {"name": "https://play.example.com", "certificateArn": ARN}}, "name"),
        (
            {"domain": {"name": "a.b", "certificateArn": ARN.replace("us-east-1", "eu-west-1")}},
            "domain",
        ),
    ],
)
def test_a_wrong_setting_is_named_with_its_place(change: dict[str, Any], told: str) -> None:
    stages = {"dev": {**STAGES_JSON["dev"], **change}}
    with pytest.raises(ConfigurationError, match=f"context.stages.dev: .*{told}"):
        read_settings(stages, "dev")


@pytest.mark.parametrize(
    ("name", "hint"),
    [("requestBurst", "did you mean 'requestsBurst'?"), ("zzz", "settings: region, retainData")],
)
def test_an_unknown_setting_is_answered_with_the_nearest(name: str, hint: str) -> None:
    with pytest.raises(ConfigurationError, match=f"unknown field `{name}`") as unknown:
        read_settings({"dev": {**STAGES_JSON["dev"], name: 1}}, "dev")
    assert str(unknown.value.hint).startswith(hint)


def test_a_missing_setting_is_named() -> None:
    stages = {"dev": {k: v for k, v in STAGES_JSON["dev"].items() if k != "retainData"}}
    with pytest.raises(ConfigurationError, match="missing required field `retainData`"):
        read_settings(stages, "dev")


def test_without_a_repository_none_deploys() -> None:
    assert read_github(None) is None


def test_the_subject_of_a_job_has_names_alone_or_ids_too() -> None:
    github = read_github(GITHUB)
    assert github
    assert github.subjects("environment:dev") == (
        "repo:octo-org/octo-repo:environment:dev",
        "repo:octo-org@123456/octo-repo@456789:environment:dev",
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"owner": "octo-org/octo-repo"}, "owner"),
        ({"owner": "*"}, "owner"),
        ({"owner": ""}, "owner"),
        ({"ownerId": "octo-org"}, "ownerId"),
        ({"ownerId": "0123"}, "ownerId"),
        ({"repository": "octo-org/octo-repo"}, "repository"),
        ({"repository": "octo-*"}, "repository"),
        ({"repositoryId": 456789}, "repositoryId"),
        ({"repositoryId": "4567?9"}, "repositoryId"),
        ({"branch": "main"}, "unknown field `branch`"),
    ],
)
def test_a_repository_that_is_not_one_is_named_with_its_place(
    change: dict[str, Any], told: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"cdk.json, context.github: .*{told}"):
        read_github({**GITHUB, **change})


def test_a_repository_without_its_id_is_refused_since_names_can_become_somebody_elses() -> None:
    github = {key: value for key, value in GITHUB.items() if key != "repositoryId"}
    with pytest.raises(ConfigurationError, match="missing required field `repositoryId`"):
        read_github(github)
