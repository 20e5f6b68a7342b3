"""The import of what is there already: ``ImportExistingResources`` of a change set.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources-automatically.html
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import CloudFormationBackend
from moto.cloudformation.parsing import ResourceMap
from moto.ecr.models import ecr_backends
from moto.logs.models import logs_backends

from local.emulated_aws.resources.table import TableModel

Find = Callable[[str, str, Mapping[str, Any], str], Any]
"""Takes account, Region, properties and a name; returns the model of what is there, or None."""

_POLICIES: Final = frozenset({"Retain", "RetainExceptOnCreate"})


def find_existing(
    backend: CloudFormationBackend, resources: ResourceMap, new: Iterable[str]
) -> dict[str, Any]:
    """Return the models of what is there already, by the logical ids of resources that are new.

    Only a name that stands in the template counts, and what belongs to a stack is not taken from
    it. Nothing of it is changed: whether it is as the template says is not looked at. Raises
    ValidationError where the template would delete one with its stack.
    """
    owned = {
        (resource.cf_resource_type, resource.physical_resource_id)
        for stack in backend.stacks.values()
        for resource in stack.resource_map._parsed_resources.values()  # noqa: SLF001
        if hasattr(resource, "cf_resource_type")
    }
    found: dict[str, Any] = {}
    for logical_id in new:
        definition = resources._resource_json_map[logical_id]  # noqa: SLF001
        named_by, find = _FINDERS.get(definition["Type"], ("", None))
        properties = definition.get("Properties", {})
        name = properties.get(named_by)
        if find is None or not isinstance(name, str):
            continue
        resource = find(backend.account_id, backend.region_name, properties, name)
        if resource is None or (definition["Type"], name) in owned:
            continue
        resource.cf_resource_type = definition["Type"]
        resource.logical_resource_id = logical_id
        found[logical_id] = resource
    _require_retained(resources, found)
    return found


def _require_retained(resources: ResourceMap, found: Mapping[str, Any]) -> None:
    template = resources._resource_json_map  # noqa: SLF001
    refused = [
        f"{logical_id} ({resource.physical_resource_id})"
        for logical_id, resource in found.items()
        if template[logical_id].get("DeletionPolicy") not in _POLICIES
    ]
    if refused:
        raise ValidationError(
            message="CloudFormation is attempting to import some resources because they already"
            " exist in your account. The resources must have the DeletionPolicy attribute set to"
            " 'Retain' or 'RetainExceptOnCreate' in the template for successful import. The"
            f" affected resources are {', '.join(refused)}"
        )


def _repository(account: str, region: str, _: Mapping[str, Any], name: str) -> Any:
    return ecr_backends[account][region].repositories.get(name)


def _log_group(account: str, region: str, _: Mapping[str, Any], name: str) -> Any:
    return logs_backends[account][region].groups.get(name)


_FINDERS: Final[Mapping[str, tuple[str, Find]]] = {
    "AWS::DynamoDB::Table": ("TableName", TableModel.existing),
    "AWS::ECR::Repository": ("RepositoryName", _repository),
    "AWS::Logs::LogGroup": ("LogGroupName", _log_group),
}
