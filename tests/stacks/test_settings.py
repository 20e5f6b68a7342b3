from typing import Any

import pytest

from lambda_src.rooms.service import LONGEST_OPERATION_S
from stacks.settings import ConfigurationError, read_settings
from tests.cdk_context import CDK_JSON, STAGES

ARN = "arn:aws:acm:us-east-1:" + "1" * 12 + ":certificate/0123-abcd"
STAGES_JSON: dict[str, Any] = CDK_JSON["context"]["stages"]


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_of_cdk_json_is_well_formed(stage: str) -> None:
    settings = read_settings(STAGES_JSON, stage)
    assert settings.region == "ap-northeast-1"
    assert settings.architecture == "arm64"


def test_only_prd_keeps_data() -> None:
    assert [stage for stage in STAGES if read_settings(STAGES_JSON, stage).retain_data] == ["prd"]


@pytest.mark.parametrize("stage", STAGES)
def test_the_slowest_operation_ends_before_the_function_and_the_function_before_the_api(
    stage: str,
) -> None:
    timeout_s = read_settings(STAGES_JSON, stage).timeout_seconds
    assert LONGEST_OPERATION_S < timeout_s < 30


def test_an_unknown_stage_is_answered_with_those_that_exist() -> None:
    with pytest.raises(ConfigurationError, match=r"no stage 'prod' in cdk\.json.*dev, prd"):
        read_settings(STAGES_JSON, "prod")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"memoryMB": 512}, "unknown field `memoryMB`"),
        ({"memoryMb": "512"}, "memoryMb"),
        ({"memoryMb": 64}, "memoryMb"),
        ({"architecture": "amd64"}, "architecture"),
        ({"timeoutSeconds": 30}, "timeoutSeconds"),
        ({"timeoutSeconds": int(LONGEST_OPERATION_S)}, "timeoutSeconds"),
        ({"logRetention": "FOREVER"}, "logRetention"),
        ({"allowedOrigins": []}, "allowedOrigins"),
        ({"reservedConcurrency": 0}, "reservedConcurrency"),
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


def test_a_missing_setting_is_named() -> None:
    stages = {"dev": {k: v for k, v in STAGES_JSON["dev"].items() if k != "retainData"}}
    with pytest.raises(ConfigurationError, match="missing required field `retainData`"):
        read_settings(stages, "dev")
