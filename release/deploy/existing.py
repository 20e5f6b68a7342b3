"""Tables and repositories that are there already: what a deleted stack has left, or a restore made.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources-automatically.html
"""

import json
from collections.abc import Iterator
from typing import Any

from config.project import Stage
from imagecheck.errors import FailedError
from imagecheck.image.aws import aws_errors
from imagecheck.terminal import warn
from release.cloud_assembly import CloudAssembly
from release.deploy.live import Stack, read_stack
from release.deploy.table_change import deployed_table
from release.errors import RefusedError

IMPORT = "--import-existing-resources"
"""The option of `release deploy`, and of the CDK CLI."""


def require_nothing_existing(stage: Stage, rooms: Stack | None) -> None:
    """Require that nothing has a name that the stacks are about to give to something new.

    ``rooms`` is the rooms stack; None: there is none. Raises RefusedError with the way to take over
    what is there. Who may not ask is not stopped: CloudFormation says it, later.
    """
    there: list[str] = []
    delete: list[str] = []
    if _is_new_table(stage, rooms) and _has_table(stage):
        there.append(f"the table {stage.names.table}")
        delete.append(_aws(stage, "dynamodb delete-table", f"--table-name {stage.names.table}"))
    if _has_repository_alone(stage):
        there.append(f"the repository {stage.names.repository}")
        name = f"--repository-name {stage.names.repository}"
        delete.append(_aws(stage, "ecr delete-repository", name))
    if not there:
        return
    verb = "is" if len(there) == 1 else "are"
    if stage.settings.retain_data:
        hint = f"take over what is in it: python -m release deploy {stage.name} {IMPORT}"
    else:
        hint = "\n".join(f"if nobody needs what is in it: {command}" for command in delete)
    raise RefusedError(
        f"{' and '.join(there)} {verb} there already, and in no stack of {stage.name}", hint=hint
    )


def require_as_declared(stage: Stage, rooms: Stack | None, assembly: CloudAssembly) -> None:
    """Require that a table which is imported is as the template says.

    CloudFormation does not look, and takes what the template says for what is: a restored table
    would stay without its expiry, its protection and its own backups. Raises RefusedError with the
    commands that are missing.
    """
    if not _is_new_table(stage, rooms):
        return
    declared = _declared(stage, assembly)
    try:
        if not _has_table(stage, strict=True):
            return
        missing = dict(_missing(stage, declared))
    except FailedError as error:
        warn(f"warning: NOT checked whether the table is as its template says: {error}")
        return
    if missing:
        raise RefusedError(
            f"the table {stage.names.table} lacks {', '.join(missing)}, and CloudFormation would"
            " import it as it is",
            hint="\n".join(missing.values()),
        )


def _missing(stage: Stage, declared: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what a table lacks, and the command that adds it."""
    client, name = stage.client("dynamodb"), stage.names.table
    table = f"--table-name {name}"
    with aws_errors(f"the table {name}"):
        is_protected = client.describe_table(TableName=name)["Table"].get(
            "DeletionProtectionEnabled", False
        )
        expiry = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        backups = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    wanted = declared.get("TimeToLiveSpecification", {}).get("AttributeName")
    if wanted and expiry.get("AttributeName") != wanted:
        setting = f"Enabled=true,AttributeName={wanted}"
        command = f"{table} --time-to-live-specification {setting}"
        yield "the expiry of its rooms", _aws(stage, "dynamodb update-time-to-live", command)
    switch = "PointInTimeRecoveryEnabled"
    recovery = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
    if declared.get("PointInTimeRecoverySpecification", {}).get(switch) and recovery != "ENABLED":
        command = f"{table} --point-in-time-recovery-specification {switch}=true"
        yield "point-in-time recovery", _aws(stage, "dynamodb update-continuous-backups", command)
    if declared.get("DeletionProtectionEnabled") and not is_protected:
        command = f"{table} --deletion-protection-enabled"
        yield "protection against deletion", _aws(stage, "dynamodb update-table", command)


def _declared(stage: Stage, assembly: CloudAssembly) -> dict[str, Any]:
    """Return the properties of the table in a template; none where it has another table."""
    template = json.loads(assembly.template(stage).read_text(encoding="utf-8"))
    for resource in template["Resources"].values():
        properties: dict[str, Any] = resource.get("Properties", {})
        if (resource["Type"], properties.get("TableName")) == (
            "AWS::DynamoDB::Table",
            stage.names.table,
        ):
            return properties
    return {}


def _is_new_table(stage: Stage, rooms: Stack | None) -> bool:
    return deployed_table(stage, rooms.outputs if rooms else {}) != stage.names.table


def _has_table(stage: Stage, *, strict: bool = False) -> bool:
    dynamodb = stage.client("dynamodb")
    try:
        with aws_errors(f"the table {stage.names.table}"):
            try:
                dynamodb.describe_table(TableName=stage.names.table)
            except dynamodb.exceptions.ResourceNotFoundException:
                return False
    except FailedError:
        if strict:
            raise
        return False
    return True


def _has_repository_alone(stage: Stage) -> bool:
    """Whether there is the repository, and not its stack."""
    ecr = stage.client("ecr")
    try:
        if read_stack(stage, stage.names.registry_stack) is not None:
            return False
        with aws_errors(f"the repository {stage.names.repository}"):
            try:
                ecr.describe_repositories(repositoryNames=[stage.names.repository])
            except ecr.exceptions.RepositoryNotFoundException:
                return False
    except FailedError:
        return False
    return True


def _aws(stage: Stage, command: str, options: str) -> str:
    return f"aws {command} --region {stage.region} {options}"
