"""Rules for what a running function needs: its table, and its role's permissions.

It answers 503 where DynamoDB is out of reach and 500 where DynamoDB refuses, and logs the cause.
"""

from collections.abc import Iterator
from typing import Final

from config.project import Stage
from release.diagnosis.cause import Evidence, FailureCause, Remedy, seen
from release.diagnosis.facts import ABSENT, Absent
from release.diagnosis.log_lines import SERVER_ERROR
from release.diagnosis.remedies import (
    aws_command,
    compare_with_stack,
    release_command,
    revert_drift,
    roll_back,
)
from release.diagnosis.rules.read_only import is_read_only
from release.diagnosis.version_facts import Symptom, VersionFacts, evidence_of

_DENIED: Final = ("AccessDenied", "not authorized to perform")
_MISSING: Final = ("ResourceNotFoundException",)
_THROTTLED: Final = (
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
)
_UNREACHABLE: Final = (
    "ConnectTimeoutError",
    "ConnectionClosedError",
    "EndpointConnectionError",
    "HTTPClientError",
    "ProxyConnectionError",
    "ReadTimeoutError",
    "SSLError",
)
_KMS: Final = ("KMS", "InaccessibleEncryptionCredentials")
_VARIABLE: Final = "ROOMS_TABLE"


def table_is_missing(version: VersionFacts) -> Iterator[FailureCause]:
    """503 with cause ResourceNotFoundException, or no such table at all."""
    table = version.stage.names.table
    symptoms = version.with_(lambda symptom: _is_server_error(symptom) and symptom.has(*_MISSING))
    is_gone = version.function is not None and version.is_live and version.facts.table is ABSENT
    if not (symptoms or is_gone) or (version.works_now and not is_gone and not symptoms):
        return
    named = version.function.variables.get(_VARIABLE) if version.function else None
    evidence = evidence_of(symptoms)
    evidence += _of_table(version.facts.table)
    if version.facts.table not in (None, ABSENT) and named in (None, table):
        yield _code_asks_elsewhere(version, evidence)
        return
    is_other = named not in (None, table)
    if is_other:
        evidence += (seen("GetFunction", f"{_VARIABLE} does not name {table}"),)
    yield FailureCause(
        name="table-missing",
        title="The function uses another table than the stage's"
        if is_other
        else f"The table {table} does not exist",
        likelihood="possible" if version.works_now else version.likelihood(symptoms),
        error_type=SERVER_ERROR,
        evidence=evidence,
        fix=(
            compare_with_stack(version.stage, f"{_VARIABLE} was changed"),
            revert_drift(version.stage, version.stage.names.rooms_stack),
        )
        if is_other
        else (compare_with_stack(version.stage, "it was deleted"), *_table_again(version.stage)),
        explanation="The image starts and the handler runs: a table that the handler needs is"
        " missing.",
    )


def _code_asks_elsewhere(version: VersionFacts, evidence: tuple[Evidence, ...]) -> FailureCause:
    """The stage's table is there and named, so it is not what the code asks for."""
    return FailureCause(
        name="code-asks-other-table",
        title=f"The code uses another table than {version.stage.names.table}, which exists",
        likelihood="likely",
        error_type=SERVER_ERROR,
        evidence=evidence,
        fix=(
            Remedy(
                f"check that the code takes the table's name from {_VARIABLE}",
                f"git grep -n {_VARIABLE} lambda_src",
            ),
            *((roll_back(version.stage),) if version.is_live else ()),
        ),
    )


def role_may_not_use_table(version: VersionFacts) -> Iterator[FailureCause]:
    """500 with cause ``GetItem: AccessDeniedException``."""
    symptoms = version.with_(
        lambda symptom: (
            _is_server_error(symptom) and symptom.has(*_DENIED) and not symptom.has(*_KMS)
        )
    )
    if not symptoms:
        return
    role = (
        version.function.role.rpartition("/")[2]
        if version.function and version.function.role
        else "ROLE"
    )
    yield FailureCause(
        name="role-denied",
        title="The function's role may not use its table",
        likelihood=version.likelihood(symptoms),
        error_type="AccessDeniedException",
        evidence=evidence_of(symptoms),
        fix=(
            Remedy(
                "check its permissions: the stack grants GetItem, PutItem, UpdateItem and"
                f" DeleteItem on {version.stage.names.table}",
                f"aws iam list-role-policies --role-name {role}",
            ),
            compare_with_stack(version.stage, "that was changed"),
        ),
        explanation="This is the function's own role, not who deploys, and not Lambda's permission"
        " to pull the image.",
    )


def table_is_unreachable(version: VersionFacts) -> Iterator[FailureCause]:
    """503 with the name of a network error."""
    symptoms = version.with_(
        lambda symptom: _is_server_error(symptom) and symptom.has(*_UNREACHABLE)
    )
    if not symptoms:
        return
    yield FailureCause(
        name="table-unreachable",
        title="The function cannot reach DynamoDB",
        likelihood=version.likelihood(symptoms),
        error_type=SERVER_ERROR,
        evidence=(*evidence_of(symptoms), *_of_table(version.facts.table)),
        fix=(
            Remedy(
                "check whether it was put into a VPC, which needs a route to DynamoDB, or"
                " sent elsewhere: the stack does neither",
                aws_command(
                    "lambda",
                    "get-function-configuration",
                    version.stage,
                    function_name=version.facts.function_name,
                    qualifier="live",
                    query="[VpcConfig,Environment.Variables.AWS_ENDPOINT_URL]",
                ),
            ),
            Remedy("check whether DynamoDB has an outage: https://health.aws.amazon.com"),
        ),
    )


def table_throttles(version: VersionFacts) -> Iterator[FailureCause]:
    """503 with cause ThrottlingException or its kin."""
    symptoms = version.with_(lambda symptom: _is_server_error(symptom) and symptom.has(*_THROTTLED))
    if not symptoms:
        return
    table = version.stage.names.table
    yield FailureCause(
        name="table-throttled",
        title=f"DynamoDB throttles the table {table}",
        likelihood=version.likelihood(symptoms),
        error_type=SERVER_ERROR,
        evidence=evidence_of(symptoms),
        fix=(
            Remedy(
                "check its limit, under OnDemandThroughput",
                aws_command("dynamodb", "describe-table", version.stage, table_name=table),
            ),
        ),
    )


def table_key_cannot_be_used(version: VersionFacts) -> Iterator[FailureCause]:
    """DynamoDB answers with errors of KMS's."""
    symptoms = version.with_(lambda symptom: _is_server_error(symptom) and symptom.has(*_KMS))
    if not symptoms:
        return
    yield FailureCause(
        name="table-kms-key",
        title="The key of the table cannot be used",
        likelihood=version.likelihood(symptoms),
        error_type="KMS",
        evidence=evidence_of(symptoms),
        fix=(
            Remedy(
                "check which key it is, and its state",
                aws_command(
                    "dynamodb",
                    "describe-table",
                    version.stage,
                    table_name=version.stage.names.table,
                    query="Table.SSEDescription",
                ),
            ),
        ),
    )


def answers_with_errors(version: VersionFacts) -> Iterator[FailureCause]:
    """500 and 503 of another cause: with its log line, or without."""
    known = (*_DENIED, *_MISSING, *_THROTTLED, *_UNREACHABLE, *_KMS)
    symptoms = version.with_(
        lambda symptom: (
            _is_server_error(symptom) and not symptom.has(*known) and not is_read_only(symptom)
        )
    )
    if not symptoms:
        return
    # What has a cause says more than what has none, and is likely the same.
    with_cause = tuple(symptom for symptom in symptoms if symptom.cause)
    explained = version.with_(lambda symptom: _is_server_error(symptom) and symptom.has(*known))
    if not with_cause and explained:
        return
    named = next((symptom.cause for symptom in with_cause), "")
    yield FailureCause(
        name="server-error",
        title="The function starts, but answers with a server error"
        + (f": {named}" if named else ""),
        likelihood=version.likelihood(symptoms),
        error_type=SERVER_ERROR,
        evidence=evidence_of(symptoms),
        fix=(
            *((roll_back(version.stage),) if version.is_live else ()),
            Remedy(
                "find in the log line where it was raised",
                f"aws logs tail /aws/lambda/{version.facts.function_name} --since 1h"
                " --filter-pattern '{ $.status >= 500 }'"
                f" --region {version.stage.region}",
            ),
        ),
        explanation="The image starts and the handler runs, so the cause is in the code or in what"
        " it calls.",
    )


def _is_server_error(symptom: Symptom) -> bool:
    return symptom.type == SERVER_ERROR


def _table_again(stage: Stage) -> tuple[Remedy, ...]:
    """Only a table whose data is retained has point-in-time recovery, and so leaves a backup.

    Its source is gone, so it is restored from that and not to a point in time:
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BackupDetails.html
    """
    table, stack = stage.names.table, stage.names.rooms_stack
    if not stage.settings.retain_data:
        return (
            Remedy(
                f"its rooms are lost ({stage.name} has no retainData), so start again: delete the"
                " stack",
                f"npx cdk destroy -c stage={stage.name} {stack}",
            ),
            Remedy("deploy", release_command("deploy", stage)),
        )
    return (
        Remedy(
            "find the backup that DynamoDB made of it when it was deleted",
            aws_command(
                "dynamodb",
                "list-backups",
                stage,
                table_name=table,
                backup_type="SYSTEM",
                query="BackupSummaries[].BackupArn",
            ),
        ),
        Remedy(
            "restore its rooms as they were just before",
            aws_command("dynamodb", "restore-table-from-backup", stage, target_table_name=table)
            + " --backup-arn ARN",
        ),
        # A restored table has neither time to live nor point-in-time recovery.
        revert_drift(stage, stack),
    )


def _of_table(table: str | Absent | None) -> tuple[Evidence, ...]:
    if table is None:
        return ()
    return (seen("DescribeTable", "there is no such table" if table is ABSENT else str(table)),)
