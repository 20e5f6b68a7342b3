"""CloudFormation's requests on stacks and change sets, as patches of moto.

As in CloudFormation, a request succeeds although the change that it asked for fails: the failure is
in the stack's status and events. Unlike there, the request waits for the end of the change.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
"""

import json
from copy import copy
from typing import Any, Final
from weakref import WeakSet

from moto.cloudformation.exceptions import AlreadyExistsException, ValidationError
from moto.cloudformation.models import ChangeSet, CloudFormationBackend, Stack
from moto.cloudformation.responses import CloudFormationResponse
from moto.cloudformation.utils import generate_stack_id
from moto.cloudtrail.responses import CloudTrailResponse
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult

from local.emulated_aws.patching import Patch
from local.emulated_aws.stack_operation import StackOperation, cancel

STACK = "AWS::CloudFormation::Stack"
_NO_VALUES: Final = "[WARN] --include-property-values option can return incomplete ChangeSet data"


_create: Final = CloudFormationResponse.create_change_set
# The change sets that import what is there already.
_IMPORTING: WeakSet[ChangeSet] = WeakSet()


class ChangeSetNotFoundError(ServiceException):
    """CloudFormation's error, whose code the CDK reads."""

    code = "ChangeSetNotFoundException"


def patches() -> tuple[Patch, ...]:
    """Return patches that let moto's stacks fail and roll back as CloudFormation's do."""
    return (
        Patch(CloudFormationBackend, "create_stack", _create_stack),
        Patch(CloudFormationBackend, "update_stack", _update_stack),
        # moto's own deletes in any order, such as buckets before what empties them.
        Patch(CloudFormationBackend, "delete_stack", _delete_stack),
        Patch(CloudFormationBackend, "execute_change_set", _execute_change_set),
        Patch(CloudFormationResponse, "cancel_update_stack", _cancel_update_stack),
        Patch(CloudFormationResponse, "create_change_set", _create_change_set),
        Patch(CloudFormationResponse, "describe_change_set", _describe_change_set),
        Patch(CloudFormationResponse, "delete_change_set", _delete_change_set),
        # moto's own looks up every resource of the template, which creates it.
        Patch(Stack, "stack_resources", property(_resources)),
        Patch(CloudTrailResponse, "lookup_events", _lookup_events),
    )


def _create_stack(
    backend: CloudFormationBackend,
    name: str,
    template: str,
    parameters: dict[str, Any],
    **others: Any,
) -> Stack:
    if name in [stack.name for stack in backend.stacks.values()]:
        raise AlreadyExistsException(f"Stack [{name}] already exists")
    stack = Stack(  # type: ignore[abstract]  # moto makes them, too
        stack_id=generate_stack_id(name, backend.region_name, backend.account_id),
        name=name,
        template=template,
        parameters=parameters,
        account_id=backend.account_id,
        region_name=backend.region_name,
        cross_stack_resources=backend.exports,
        **others,
    )
    backend.stacks[stack.stack_id] = stack
    StackOperation(backend, stack, "CREATE", template, parameters).run()
    return stack


def _update_stack(  # noqa: PLR0917  (moto's own order)
    backend: CloudFormationBackend,
    name: str,
    template: str,
    role_arn: str | None,
    parameters: list[dict[str, Any]],
    tags: dict[str, str] | None,
) -> Stack:
    stack = backend.get_stack(name)
    resolved = backend._resolve_update_parameters(  # noqa: SLF001
        instance=stack, incoming_params=parameters
    )
    StackOperation(backend, stack, "UPDATE", template, resolved).run()
    stack.role_arn = role_arn
    stack.tags = stack.tags if tags is None else tags
    return stack


def _delete_stack(backend: CloudFormationBackend, name_or_stack_id: str) -> None:
    """Delete a stack; a missing one is no error."""
    for stack in list(backend.stacks.values()):
        if name_or_stack_id in {stack.name, stack.stack_id}:
            StackOperation(backend, stack, "DELETE").delete()


def _execute_change_set(
    backend: CloudFormationBackend, change_set_name: str, stack_name: str | None = None
) -> None:
    change_set = _change_set(backend, change_set_name, stack_name)
    stack = backend.stacks[change_set.stack_id]
    # For "use the previous value" moto has the resolved value; it must be resolved again.
    resolved, given = stack.resource_map.resolved_parameters, stack.resource_map.input_parameters
    parameters = {
        name: given[name] if name in given and resolved.get(name) == value else value
        for name, value in change_set.parameters.items()
    }
    change = StackOperation(
        backend,
        stack,
        change_set.change_set_type,
        change_set.template,
        parameters,
        imports=change_set in _IMPORTING,
    )
    change_set.execution_status = "EXECUTE_IN_PROGRESS"
    change.run()
    change_set.execution_status = (
        "EXECUTE_FAILED" if "ROLLBACK" in stack.status else "EXECUTE_COMPLETE"
    )
    stack.tags = change_set.tags or stack.tags


def _cancel_update_stack(response: CloudFormationResponse) -> ActionResult:
    """Let a change roll back before its next resource."""
    stack = response.cloudformation_backend.get_stack(response._get_param("StackName"))  # noqa: SLF001
    if stack.status != "UPDATE_IN_PROGRESS":
        raise ValidationError(
            message=f"CancelUpdateStack cannot be called from current stack status ({stack.status})"
        )
    cancel(stack)
    return EmptyResult()


def _resources(stack: Stack) -> list[Any]:
    parsed = stack.resource_map._parsed_resources  # noqa: SLF001
    return [parsed[name] for name in stack.resource_map if name in parsed]


def _lookup_events(_: CloudTrailResponse) -> str:
    """Return no events of CloudTrail, in which the CDK looks for more about a failure."""
    return json.dumps({"Events": []})


def _create_change_set(response: CloudFormationResponse) -> ActionResult:
    """Note what moto leaves out. That an import is refused is told when it is executed."""
    created: ActionResult = _create(response)
    if response._get_bool_param("ImportExistingResources"):  # noqa: SLF001
        made: Any = created.result
        _IMPORTING.add(response.cloudformation_backend.change_sets[made["Id"]])
    return created


def _describe_change_set(response: CloudFormationResponse) -> ActionResult:
    """Describe a change set, always without property values, and say so where they are asked for.

    The CDK then does not compare the templates itself, for which it reads the schema of every
    resource type.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeChangeSet.html
    """
    name, stack = response._get_param("ChangeSetName"), response._get_param("StackName")  # noqa: SLF001
    found = _change_set(response.cloudformation_backend, name, stack)
    if response._get_bool_param("IncludePropertyValues"):  # noqa: SLF001
        found = copy(found)
        found.status_reason = f"{found.status_reason or ''} {_NO_VALUES}".strip()
    return ActionResult(found)


def _delete_change_set(response: CloudFormationResponse) -> ActionResult:
    """Delete a change set; a missing one is no error."""
    name, stack = response._get_param("ChangeSetName"), response._get_param("StackName")  # noqa: SLF001
    backend = response.cloudformation_backend
    for found in _change_sets(backend, name, stack):
        del backend.change_sets[found.change_set_id]
    return EmptyResult()


def _change_set(backend: CloudFormationBackend, name: str, stack: str | None) -> ChangeSet:
    """Return a change set. Raises ChangeSetNotFoundError when there is none."""
    for found in _change_sets(backend, name, stack):
        return found
    raise ChangeSetNotFoundError(f"ChangeSet [{name}] does not exist")


def _change_sets(backend: CloudFormationBackend, name: str, stack: str | None) -> list[ChangeSet]:
    """Find by ARN, or by name and stack: the CDK gives one name in all stacks."""
    return [
        found
        for found in backend.change_sets.values()
        if name == found.change_set_id
        or (name == found.change_set_name and stack in (found.stack_name, found.stack_id))
    ]
