"""Tables of DynamoDB."""
# ruff: noqa: D102  (the methods are moto's protocol, documented once in Model)

from collections.abc import Mapping
from typing import Any, ClassVar, Final, Self

from moto.cloudformation.exceptions import ValidationError
from moto.core.common_models import CloudFormationModel

from local.emulated_aws.dynamodb import Tables
from local.emulated_aws.resources.model import Model, Properties

# CreateTable's and UpdateTable's own arguments.
_CHANGEABLE: Final = (
    "BillingMode",
    "DeletionProtectionEnabled",
    "ProvisionedThroughput",
    "StreamSpecification",
)
_FIXED: Final = (
    "AttributeDefinitions",
    "GlobalSecondaryIndexes",
    "KeySchema",
    "LocalSecondaryIndexes",
)
_TIME_TO_LIVE: Final = "TimeToLiveSpecification"
_RECOVERY: Final = "PointInTimeRecoverySpecification"
# DynamoDB Local has nothing of these.
_WITHOUT_EFFECT: Final = (
    "ContributorInsightsSpecification",
    "SSESpecification",
    "TableClass",
    "Tags",
)


class TableModel(Model, CloudFormationModel):
    """Ref is the table's name. The table itself is in DynamoDB Local."""

    TYPE = "AWS::DynamoDB::Table"
    NAME_PROPERTY = "TableName"
    ATTRIBUTES = ("Arn", "StreamArn")
    dynamodb: ClassVar[Tables]
    """That of the account."""

    def put(self, name: str, properties: Properties) -> None:
        wanted = _typed(properties)
        unknown = wanted.keys() - {
            "TableName", _TIME_TO_LIVE, _RECOVERY, *_CHANGEABLE, *_FIXED, *_WITHOUT_EFFECT
        }  # fmt: skip
        if unknown:
            raise ValidationError(
                message=f"The emulated DynamoDB does not support {', '.join(sorted(unknown))} of a"
                " table"
            )
        if self.physical_resource_id:
            self._update(name, wanted)
        else:
            arguments = {key: wanted[key] for key in (*_FIXED, *_CHANGEABLE) if key in wanted}
            _enable_stream(arguments)
            self.dynamodb.call("CreateTable", {"TableName": name, **arguments})
            self.physical_resource_id = name
            if wanted.get(_TIME_TO_LIVE, {}).get("Enabled"):
                self._set_time_to_live(wanted[_TIME_TO_LIVE])
            self._set_recovery({}, wanted)
        self.properties = wanted

    @classmethod
    def existing(
        cls, account: str, region: str, properties: Mapping[str, Any], name: str
    ) -> Self | None:
        """Return the model of a table that is there, as it is; None where there is none."""
        if name not in cls.dynamodb.call("ListTables", {})["TableNames"]:
            return None
        table = cls(account, region, name)
        table.physical_resource_id = name
        # As in CloudFormation, what the template says is taken for what is.
        table.properties = _typed(dict(properties))
        return table

    def attribute(self, name: str) -> str:
        table = self.dynamodb.call("DescribeTable", {"TableName": self.physical_resource_id})
        return str(table["Table"]["TableArn" if name == "Arn" else "LatestStreamArn"])

    def delete(self, *_: str) -> None:
        self.dynamodb.call("DeleteTable", {"TableName": self.physical_resource_id})

    def _update(self, name: str, wanted: Properties) -> None:
        fixed = [key for key in _FIXED if wanted.get(key) != self.properties.get(key)]
        if name != self.physical_resource_id or fixed:
            raise ValidationError(
                message="The emulated CloudFormation cannot change"
                f" {', '.join(fixed or ['TableName'])} of the table {self.physical_resource_id}:"
                " start again from an empty account"
            )
        changed: Properties = {
            key: wanted[key]
            for key in _CHANGEABLE
            if key in wanted and wanted[key] != self.properties.get(key)
        }
        if changed:
            _enable_stream(changed)
            self.dynamodb.call("UpdateTable", {"TableName": name, **changed})
        before, after = (each.get(_TIME_TO_LIVE, {}) for each in (self.properties, wanted))
        if before != after:
            self._set_time_to_live(after or {**before, "Enabled": False})
        self._set_recovery(self.properties, wanted)

    def _set_recovery(self, before: Properties, after: Properties) -> None:
        switch = "PointInTimeRecoveryEnabled"
        was, is_ = (bool(each.get(_RECOVERY, {}).get(switch)) for each in (before, after))
        if was is not is_:
            arguments = {"TableName": self.physical_resource_id, _RECOVERY: {switch: is_}}
            self.dynamodb.call("UpdateContinuousBackups", arguments)

    def _set_time_to_live(self, specification: Properties) -> None:
        arguments = {"TableName": self.physical_resource_id, _TIME_TO_LIVE: specification}
        self.dynamodb.call("UpdateTimeToLive", arguments)


def _enable_stream(arguments: Properties) -> None:
    """In a template, naming a view type is what turns a stream on."""
    if "StreamSpecification" in arguments:
        arguments["StreamSpecification"] = {
            **arguments["StreamSpecification"],
            "StreamEnabled": True,
        }


def _typed(value: Any) -> Any:
    """Booleans and numbers may be text in a template, and are not in DynamoDB's API."""
    match value:
        case dict():
            return {key: _typed(item) for key, item in value.items()}
        case list():
            return [_typed(item) for item in value]
        case "true" | "false":
            return value == "true"
    return value
