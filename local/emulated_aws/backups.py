"""Backups of tables, which DynamoDB Local lacks: point-in-time recovery, and that of a deleted one.

Of a table whose recovery is on, every item that a request of the account writes is noted with the
time, so that a restore has the items of its time, to the second, as in DynamoDB. What differs: the
latest time that can be restored is now, not five minutes ago, and a restore is done at once.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Point-in-time-recovery.html
"""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from uuid import uuid4

Arguments = Mapping[str, Any]
Answer = dict[str, Any]

_WRITES: Final = frozenset(
    {"BatchWriteItem", "DeleteItem", "PutItem", "TransactWriteItems", "UpdateItem"}
)
# What a restored table has of the one that it is restored from:
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_RestoreTableToPointInTime.html
_RESTORED: Final = ("AttributeDefinitions", "KeySchema")
_INDEXES: Final = ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")
_OF_INDEX: Final = ("IndexName", "KeySchema", "Projection")
_DAYS: Final = 35


class RefusedError(Exception):
    """DynamoDB's error: its type, and its message."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Call(Protocol):
    """Calls an operation of DynamoDB Local."""

    def __call__(self, operation: str, arguments: Arguments, /) -> Answer:
        """Raise ValidationError with its reason."""


@dataclass
class _Journal:
    """The items of a table at a time, and each one that was written since; None: deleted."""

    table: Mapping[str, Any]
    since: float
    first: dict[str, Any]
    written: list[tuple[float, str, Any]] = field(default_factory=list)

    def items_at(self, moment: float) -> list[Any]:
        """Return the items of this time; what was written within its second counts."""
        written = {key: item for when, key, item in self.written if int(when) <= int(moment)}
        items = self.first | written
        return [item for item in items.values() if item is not None]


@dataclass
class _DeletedTable:
    """The system backup of a table that was deleted."""

    arn: str
    name: str
    table: Mapping[str, Any]
    items: list[Any]
    at: float


class Backups:
    """The backups of an account. ``call`` reaches its tables, ``now`` is the time in seconds."""

    def __init__(self, call: Call, now: Callable[[], float] = time.time) -> None:
        self._call = call
        self._now = now
        self._journals: dict[str, _Journal] = {}
        self._deleted: dict[str, _DeletedTable] = {}
        # A write and its note are one, or the order of two notes were not that of the writes.
        self._lock = threading.Lock()
        self._operations: Final[Mapping[str, Callable[[Arguments], Answer]]] = {
            "DescribeContinuousBackups": self._describe,
            "ListBackups": self._list,
            "RestoreTableFromBackup": self._restore_deleted,
            "RestoreTableToPointInTime": self._restore,
            "UpdateContinuousBackups": self._update,
        }

    def has(self, operation: str) -> bool:
        """Whether an operation is one of these, and not DynamoDB Local's."""
        return operation in self._operations

    def answer(self, operation: str, arguments: Arguments) -> Answer:
        """Do an operation on backups. Raises RefusedError as DynamoDB would."""
        return self._operations[operation](arguments)

    def is_noted(self, operation: str, body: bytes) -> bool:
        """Whether ``noting`` has to be around a request."""
        if not self._journals or operation not in _WRITES | {"DeleteTable"}:
            return False
        return any(name in self._journals for name, _ in _written(operation, json.loads(body)))

    def noting(
        self, operation: str, arguments: Arguments, send: Callable[[], tuple[int, bytes]]
    ) -> tuple[int, bytes]:
        """Send a request that writes to a table whose recovery is on, and note what is there then.

        A request that was refused may have written in part, so that is noted, too.
        """
        with self._lock:
            if operation == "DeleteTable":
                return self._deleting(arguments["TableName"], send)
            answer = send()
            for name, item in _written(operation, arguments):
                if journal := self._journals.get(name):
                    self._note(name, journal, item)
            return answer

    def _note(self, name: str, journal: _Journal, item: Mapping[str, Any]) -> None:
        key = {part["AttributeName"]: item.get(part["AttributeName"]) for part in _keys(journal)}
        if None in key.values():
            return
        there = self._call("GetItem", {"TableName": name, "Key": key, "ConsistentRead": True})
        journal.written.append((self._now(), repr(key), there.get("Item")))

    def _deleting(self, name: str, send: Callable[[], tuple[int, bytes]]) -> tuple[int, bytes]:
        journal = self._journals[name]
        items = self._items(name)
        status, body = send()
        if status == 200:  # noqa: PLR2004
            del self._journals[name]
            arn = f"{journal.table['TableArn']}/backup/{uuid4().hex}"
            backup = f"{name}$DeletedTableBackup"
            self._deleted[arn] = _DeletedTable(arn, backup, journal.table, items, self._now())
        return status, body

    def _update(self, arguments: Arguments) -> Answer:
        name = arguments["TableName"]
        table = self._table(name)
        with self._lock:
            wanted = arguments["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
            if not wanted:
                self._journals.pop(name, None)
            elif name not in self._journals:
                keys = [part["AttributeName"] for part in table["KeySchema"]]
                items = {repr({key: item[key] for key in keys}): item for item in self._items(name)}
                self._journals[name] = _Journal(table, self._now(), items)
        return self._describe(arguments)

    def _describe(self, arguments: Arguments) -> Answer:
        self._table(arguments["TableName"])
        journal = self._journals.get(arguments["TableName"])
        recovery: Answer = {"PointInTimeRecoveryStatus": "ENABLED" if journal else "DISABLED"}
        if journal:
            recovery |= {
                "RecoveryPeriodInDays": _DAYS,
                "EarliestRestorableDateTime": journal.since,
                "LatestRestorableDateTime": self._now(),
            }
        return {
            "ContinuousBackupsDescription": {
                "ContinuousBackupsStatus": "ENABLED",
                "PointInTimeRecoveryDescription": recovery,
            }
        }

    def _restore(self, arguments: Arguments) -> Answer:
        source = arguments.get("SourceTableName") or arguments["SourceTableArn"].rpartition("/")[2]
        self._table(source)
        journal = self._journals.get(source)
        if journal is None:
            raise RefusedError(
                "PointInTimeRecoveryUnavailableException",
                f"Point in time recovery is not enabled for table '{source}'",
            )
        now = self._now()
        moment = now if arguments.get("UseLatestRestorableTime") else arguments["RestoreDateTime"]
        if not int(journal.since) <= moment <= now:
            raise RefusedError(
                "InvalidRestoreTimeException",
                "RestoreDateTime is not between EarliestRestorableDateTime and"
                " LatestRestorableDateTime",
            )
        with self._lock:
            items = journal.items_at(moment)
        summary = {"SourceTableArn": journal.table["TableArn"], "RestoreDateTime": moment}
        return self._make(arguments["TargetTableName"], journal.table, items, summary)

    def _restore_deleted(self, arguments: Arguments) -> Answer:
        backup = self._deleted.get(arguments["BackupArn"])
        if backup is None:
            raise RefusedError(
                "BackupNotFoundException", f"Backup not found: {arguments['BackupArn']}"
            )
        summary = {"SourceBackupArn": backup.arn, "RestoreDateTime": backup.at}
        return self._make(arguments["TargetTableName"], backup.table, backup.items, summary)

    def _list(self, arguments: Arguments) -> Answer:
        wanted = arguments.get("TableName")
        found = [
            {
                "BackupArn": one.arn,
                "BackupName": one.name,
                "BackupCreationDateTime": one.at,
                "BackupStatus": "AVAILABLE",
                "BackupType": "SYSTEM",
                "TableArn": one.table["TableArn"],
                "TableName": one.table["TableName"],
            }
            for one in self._deleted.values()
            if wanted in (None, one.table["TableName"])
        ]
        # Nobody makes those of users here.
        shown = arguments.get("BackupType", "USER") in {"SYSTEM", "ALL"}
        return {"BackupSummaries": found if shown else []}

    def _make(
        self, name: str, like: Mapping[str, Any], items: list[Any], summary: Answer
    ) -> Answer:
        if name in self._call("ListTables", {})["TableNames"]:
            raise RefusedError("TableAlreadyExistsException", f"Table already exists: {name}")
        arguments = {key: like[key] for key in _RESTORED}
        for indexes in _INDEXES:
            if indexes in like:
                arguments[indexes] = [{key: one[key] for key in _OF_INDEX} for one in like[indexes]]
        arguments |= {"TableName": name, "BillingMode": "PAY_PER_REQUEST"}
        made = self._call("CreateTable", arguments)["TableDescription"]
        for item in items:
            self._call("PutItem", {"TableName": name, "Item": item})
        restoring = {**summary, "RestoreInProgress": True}
        return {
            "TableDescription": {**made, "TableStatus": "CREATING", "RestoreSummary": restoring}
        }

    def _table(self, name: str) -> dict[str, Any]:
        if name not in self._call("ListTables", {})["TableNames"]:
            raise RefusedError("TableNotFoundException", f"Table not found: {name}")
        described: dict[str, Any] = self._call("DescribeTable", {"TableName": name})["Table"]
        return described

    def _items(self, name: str) -> list[Any]:
        items: list[Any] = []
        start: Answer = {}
        while True:
            page = self._call("Scan", {"TableName": name, "ConsistentRead": True, **start})
            items += page["Items"]
            if "LastEvaluatedKey" not in page:
                return items
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def _keys(journal: _Journal) -> list[Mapping[str, Any]]:
    keys: list[Mapping[str, Any]] = journal.table["KeySchema"]
    return keys


def _written(operation: str, arguments: Arguments) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the table, and what has the key, of each item that a request writes."""
    match operation:
        case "BatchWriteItem":
            for table, requests in arguments.get("RequestItems", {}).items():
                for request in requests:
                    for one in request.values():
                        yield table, one.get("Item") or one.get("Key") or {}
        case "TransactWriteItems":
            for action in arguments.get("TransactItems", ()):
                for one in action.values():
                    yield one.get("TableName", ""), one.get("Item") or one.get("Key") or {}
        case _:
            item = arguments.get("Item") or arguments.get("Key") or {}
            yield arguments.get("TableName", ""), item
