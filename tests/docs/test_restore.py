"""docs/restore.md names commands and options that there are; that they do it is a proof."""

import pytest

from tests.support.aws_cli import read_command
from tests.support.documents import document

COMMANDS = document("docs/restore.md").blocks("console")
ARN = "arn:aws:dynamodb:ap-northeast-1:123456789012:table/rooms/backup/0123456789"
AWS = [
    line.removeprefix("$ ") for block in COMMANDS for line in block.splitlines() if "$ aws" in line
]


@pytest.mark.parametrize("command", AWS)
def test_each_command_of_aws_is_one_that_aws_has(command: str) -> None:
    read = read_command(command.replace("ARN", ARN))
    assert read.arguments["TableName" if "TableName" in read.arguments else "TargetTableName"]


@pytest.mark.parametrize(
    "command",
    [
        "aws dynamodb restore-table --table-name rooms",
        "aws dynamodb delete-table --table rooms",
        "aws dynamodb delete-table",
        "aws dynamodb update-time-to-live --table-name a --time-to-live-specification Enabled=true",
    ],
)
def test_what_aws_has_not_is_found(command: str) -> None:
    with pytest.raises((ValueError, KeyError)):
        read_command(command)
