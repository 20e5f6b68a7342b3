"""The function runs, but what it needs does not answer it: its table, and its role's permissions.

It answers 503 where DynamoDB is out of reach and 500 where DynamoDB refuses, and logs the cause.
"""

from collections.abc import Iterator
from typing import Final

from release.diagnosis.case import Case, Symptom, evidence_of
from release.diagnosis.cause import (
    Cause,
    Evidence,
    Remedy,
    aws_command,
    compare_with_stack,
    release_command,
    revert_drift,
    roll_back,
    seen,
)
from release.diagnosis.facts import ABSENT, Absent
from release.diagnosis.log_lines import SERVER_ERROR
from release.project import Stage

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


def table_is_missing(case: Case) -> Iterator[Cause]:
    """503 with cause ResourceNotFoundException, or no such table at all."""
    table = case.stage.names.table
    symptoms = case.with_(lambda symptom: _is_server_error(symptom) and symptom.has(*_MISSING))
    is_gone = case.is_live and case.facts.table is ABSENT
    if not (symptoms or is_gone) or (case.works_now and not is_gone and not symptoms):
        return
    named = case.function.variables.get(_VARIABLE) if case.function else None
    evidence = evidence_of(symptoms)
    evidence += _of_table(case.facts.table)
    if case.facts.table not in (None, ABSENT) and named in (None, table):
        yield _code_asks_elsewhere(case, evidence)
        return
    is_other = named not in (None, table)
    if is_other:
        evidence += (seen("GetFunction", f"{_VARIABLE} does not name {table}"),)
    yield Cause(
        name="table-missing",
        title="The function asks for another table than the stage's"
        if is_other
        else f"The table {table} is not there",
        likelihood="possible" if case.works_now else case.likelihood(symptoms),
        error_type=SERVER_ERROR,
        evidence=evidence,
        fix=(
            compare_with_stack(case.stage, f"{_VARIABLE} was changed"),
            revert_drift(case.stage, case.stage.names.rooms_stack),
        )
        if is_other
        else (compare_with_stack(case.stage, "it was deleted"), *_table_again(case.stage)),
        explanation="The image starts and the handler runs: it is what the handler needs that is"
        " missing.",
    )


def _code_asks_elsewhere(case: Case, evidence: tuple[Evidence, ...]) -> Cause:
    """The stage's table is there and named, so it is not what the code asks for."""
    return Cause(
        name="code-asks-other-table",
        title=f"The code asks for another table than {case.stage.names.table}, which is there",
        likelihood="likely",
        error_type=SERVER_ERROR,
        evidence=evidence,
        fix=(
            Remedy(
                f"see that the code takes the table's name from {_VARIABLE} as it is",
                f"git grep -n {_VARIABLE} lambda_src",
            ),
            *((roll_back(case.stage),) if case.is_live else ()),
        ),
    )


def role_may_not_use_table(case: Case) -> Iterator[Cause]:
    """500 with cause ``get_item: AccessDeniedException``."""
    symptoms = case.with_(
        lambda symptom: (
            _is_server_error(symptom) and symptom.has(*_DENIED) and not symptom.has(*_KMS)
        )
    )
    if not symptoms:
        return
    role = case.function.role.rpartition("/")[2] if case.function and case.function.role else "ROLE"
    yield Cause(
        name="role-denied",
        title="The function's role may not use its table",
        likelihood=case.likelihood(symptoms),
        error_type="AccessDeniedException",
        evidence=evidence_of(symptoms),
        fix=(
            Remedy(
                "see what it may do: the stack grants GetItem, PutItem, UpdateItem and DeleteItem"
                f" on {case.stage.names.table}",
                f"aws iam list-role-policies --role-name {role}",
            ),
            compare_with_stack(case.stage, "that was changed"),
        ),
        explanation="This is the function's own role, not who deploys, and not Lambda's permission"
        " to pull the image.",
    )


def table_is_unreachable(case: Case) -> Iterator[Cause]:
    """503 with the name of a network error."""
    symptoms = case.with_(lambda symptom: _is_server_error(symptom) and symptom.has(*_UNREACHABLE))
    if not symptoms:
        return
    yield Cause(
        name="table-unreachable",
        title="The function cannot reach DynamoDB",
        likelihood=case.likelihood(symptoms),
        error_type=SERVER_ERROR,
        evidence=(*evidence_of(symptoms), *_of_table(case.facts.table)),
        fix=(
            Remedy(
                "see whether it was put into a VPC, which needs a way to DynamoDB, or sent"
                " elsewhere: the stack does neither",
                aws_command(
                    "lambda",
                    "get-function-configuration",
                    case.stage,
                    function_name=case.facts.function_name,
                    qualifier="live",
                    query="[VpcConfig,Environment.Variables.AWS_ENDPOINT_URL]",
                ),
            ),
            Remedy("see whether DynamoDB itself is disturbed: https://health.aws.amazon.com"),
        ),
    )


def table_throttles(case: Case) -> Iterator[Cause]:
    """503 with cause ThrottlingException or its kin."""
    symptoms = case.with_(lambda symptom: _is_server_error(symptom) and symptom.has(*_THROTTLED))
    if not symptoms:
        return
    table = case.stage.names.table
    yield Cause(
        name="table-throttled",
        title=f"DynamoDB throttles the table {table}",
        likelihood=case.likelihood(symptoms),
        error_type=SERVER_ERROR,
        evidence=evidence_of(symptoms),
        fix=(
            Remedy(
                "see its maximum, under OnDemandThroughput",
                aws_command("dynamodb", "describe-table", case.stage, table_name=table),
            ),
        ),
    )


def table_key_cannot_be_used(case: Case) -> Iterator[Cause]:
    """DynamoDB answers with errors of KMS's."""
    symptoms = case.with_(lambda symptom: _is_server_error(symptom) and symptom.has(*_KMS))
    if not symptoms:
        return
    yield Cause(
        name="table-kms-key",
        title="The key of the table cannot be used",
        likelihood=case.likelihood(symptoms),
        error_type="KMS",
        evidence=evidence_of(symptoms),
        fix=(
            Remedy(
                "see which key it is, and what became of it",
                aws_command(
                    "dynamodb",
                    "describe-table",
                    case.stage,
                    table_name=case.stage.names.table,
                    query="Table.SSEDescription",
                ),
            ),
        ),
    )


def answers_with_errors(case: Case) -> Iterator[Cause]:
    """500 and 503 of another cause: with its log line, or without."""
    known = (*_DENIED, *_MISSING, *_THROTTLED, *_UNREACHABLE, *_KMS)
    symptoms = case.with_(lambda symptom: _is_server_error(symptom) and not symptom.has(*known))
    if not symptoms:
        return
    # What has a cause says more than what has none, and is likely the same.
    with_cause = tuple(symptom for symptom in symptoms if symptom.cause)
    explained = case.with_(lambda symptom: _is_server_error(symptom) and symptom.has(*known))
    if not with_cause and explained:
        return
    named = next((symptom.cause for symptom in with_cause), "")
    yield Cause(
        name="server-error",
        title="The function starts, but answers with a server error"
        + (f": {named}" if named else ""),
        likelihood=case.likelihood(symptoms),
        error_type=SERVER_ERROR,
        evidence=evidence_of(symptoms),
        fix=(
            *((roll_back(case.stage),) if case.is_live else ()),
            Remedy(
                "see in the log line where it was raised",
                f"aws logs tail /aws/lambda/{case.facts.function_name} --since 1h"
                f" --filter-pattern '{{ $.status >= 500 }}' --region {case.stage.settings.region}",
            ),
        ),
        explanation="The image starts and the handler runs, so it is the code or what it asks.",
    )


RULES = (
    table_is_missing,
    role_may_not_use_table,
    table_is_unreachable,
    table_throttles,
    table_key_cannot_be_used,
    answers_with_errors,
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
                f"its rooms are lost ({stage.name} has no retainData), so begin anew: delete the"
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
            "bring its rooms back, as they were a moment before",
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
