"""The life of a stack: created, updated, and rolled back when one of its resources fails.

As in CloudFormation, a failed change is not the failure of the request that asked for it: it is in
the stack's status and events. Other than there, the request waits for the end.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
"""

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4
from weakref import WeakSet

from moto.cloudformation.exceptions import AlreadyExistsException, ValidationError
from moto.cloudformation.models import ChangeSet, CloudFormationBackend, Event, Stack
from moto.cloudformation.parsing import OutputMap
from moto.cloudformation.responses import CloudFormationResponse
from moto.cloudformation.utils import generate_stack_id
from moto.cloudtrail.responses import CloudTrailResponse
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult

from local.emulated_aws.cloudformation import Applied, ResourceFailedError, apply, remove
from local.emulated_aws.mending import Mend

STACK = "AWS::CloudFormation::Stack"


class ChangeSetNotFoundError(ServiceException):
    """As CloudFormation answers: the CDK looks at the code."""

    code = "ChangeSetNotFoundException"


def mends() -> tuple[Mend, ...]:
    """Let moto's stacks fail and roll back as CloudFormation's do, with a change set or without."""
    return (
        Mend(CloudFormationBackend, "create_stack", _create_stack),
        Mend(CloudFormationBackend, "update_stack", _update_stack),
        Mend(CloudFormationBackend, "execute_change_set", _execute_change_set),
        Mend(CloudFormationResponse, "cancel_update_stack", _cancel_update_stack),
        Mend(CloudFormationResponse, "describe_change_set", _describe_change_set),
        Mend(CloudFormationResponse, "delete_change_set", _delete_change_set),
        # moto's looks at all that the template has, and creates what it looks at.
        Mend(Stack, "stack_resources", property(_resources)),
        Mend(CloudTrailResponse, "lookup_events", _lookup_events),
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
    _Change(backend, stack, "CREATE", template, parameters).run()
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
    _Change(backend, stack, "UPDATE", template, resolved).run()
    stack.role_arn = role_arn
    stack.tags = stack.tags if tags is None else tags
    return stack


def _execute_change_set(
    backend: CloudFormationBackend, change_set_name: str, stack_name: str | None = None
) -> None:
    change_set = _change_set(backend, change_set_name, stack_name)
    stack = backend.stacks[change_set.stack_id]
    # "Use the previous value" is moto's value after it was looked up; it is to be looked up again.
    looked_up, given = stack.resource_map.resolved_parameters, stack.resource_map.input_parameters
    parameters = {
        name: given[name] if name in given and looked_up.get(name) == value else value
        for name, value in change_set.parameters.items()
    }
    change = _Change(backend, stack, change_set.change_set_type, change_set.template, parameters)
    change_set.execution_status = "EXECUTE_IN_PROGRESS"
    change.run()
    change_set.execution_status = (
        "EXECUTE_FAILED" if "ROLLBACK" in stack.status else "EXECUTE_COMPLETE"
    )
    stack.tags = change_set.tags or stack.tags


def _cancel_update_stack(response: CloudFormationResponse) -> ActionResult:
    """Let a change go back before it comes to the next resource."""
    stack = response.cloudformation_backend.get_stack(response._get_param("StackName"))  # noqa: SLF001
    if stack.status != "UPDATE_IN_PROGRESS":
        raise ValidationError(
            message=f"CancelUpdateStack cannot be called from current stack status ({stack.status})"
        )
    _CANCELLED.add(stack)
    return EmptyResult()


def _resources(stack: Stack) -> list[Any]:
    parsed = stack.resource_map._parsed_resources  # noqa: SLF001
    return [parsed[name] for name in stack.resource_map if name in parsed]


def _lookup_events(_: CloudTrailResponse) -> str:
    """CloudTrail, where the CDK looks for more about a failure, has noted nothing."""
    return json.dumps({"Events": []})


def _describe_change_set(response: CloudFormationResponse) -> ActionResult:
    name, stack = response._get_param("ChangeSetName"), response._get_param("StackName")  # noqa: SLF001
    return ActionResult(_change_set(response.cloudformation_backend, name, stack))


def _delete_change_set(response: CloudFormationResponse) -> ActionResult:
    """Delete it; one that is not there is no error."""
    name, stack = response._get_param("ChangeSetName"), response._get_param("StackName")  # noqa: SLF001
    backend = response.cloudformation_backend
    for found in _change_sets(backend, name, stack):
        del backend.change_sets[found.change_set_id]
    return EmptyResult()


def _change_set(backend: CloudFormationBackend, name: str, stack: str | None) -> ChangeSet:
    """Raise ChangeSetNotFoundError when there is none."""
    for found in _change_sets(backend, name, stack):
        return found
    raise ChangeSetNotFoundError(f"ChangeSet [{name}] does not exist")


def _change_sets(backend: CloudFormationBackend, name: str, stack: str | None) -> list[ChangeSet]:
    """Find by ARN, or by name and stack: the CDK calls those of all stacks the same."""
    return [
        found
        for found in backend.change_sets.values()
        if name == found.change_set_id
        or (name == found.change_set_name and stack in (found.stack_name, found.stack_id))
    ]


class _CancelledError(Exception):
    """Somebody has cancelled the change."""


# The stacks whose change is to be cancelled.
_CANCELLED: WeakSet[Stack] = WeakSet()


@dataclass
class _Change:
    """One change of a stack. Raises ValidationError when the stack cannot be changed now."""

    backend: CloudFormationBackend
    stack: Stack
    action: str
    """CREATE or UPDATE."""
    template: str
    parameters: dict[str, Any]
    operation_id: str = field(default_factory=lambda: str(uuid4()))
    """Stands in its events: by it the CDK tells this change's failures from earlier ones."""

    def __post_init__(self) -> None:
        status = self.stack.status
        busy = status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS"
        if busy or status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "UPDATE_ROLLBACK_FAILED"):
            raise ValidationError(
                message=f"Stack:{self.stack.stack_id} is in {status} state and can not be updated."
            )

    def run(self) -> None:
        """Make the change, or roll it back."""
        stack, resources = self.stack, self.stack.resource_map
        resources.cross_stack_resources = self.backend.exports
        old = stack.template, stack.template_dict, dict(resources.input_parameters)
        new = Stack.parse_template(self.template)
        if self.action == "CREATE":
            resources._resource_json_map = {}  # noqa: SLF001  (nothing is there yet)
            stack.output_map = OutputMap(resources, {}, stack.stack_id)
        applied = Applied()
        status = stack.status
        _CANCELLED.discard(stack)
        self._say(f"{self.action}_IN_PROGRESS", "User Initiated")
        try:
            gone = apply(resources, new, self.parameters, applied, told=self._tell_unless_cancelled)
        except ResourceFailedError as failure:
            verb = failure.action.lower()
            reason = f"The following resource(s) failed to {verb}: [{failure.logical_id}]. "
            self._undo(reason, applied, new, old)
            return
        except _CancelledError:
            self._undo("User Initiated", applied, new, old)
            return
        except Exception:  # The request is refused.
            stack.status = status
            stack.events.pop()
            if not stack.template_dict or self.action == "CREATE":
                self.backend.stacks.pop(stack.stack_id, None)
            raise
        if gone:
            self._say("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
            remove(resources, gone, undone=False, told=self._tell)
        self._stand_for(self.template, new)
        stack.parameters = self.parameters or stack.parameters
        self._export()
        self._say(f"{self.action}_COMPLETE")

    def _undo(
        self,
        reason: str,
        applied: Applied,
        new: dict[str, Any],
        old: tuple[Any, dict[str, Any], dict[str, Any]],
    ) -> None:
        self.operation_id = str(uuid4())  # A roll back is an operation of its own.
        prefix = "" if self.action == "CREATE" else "UPDATE_"
        self._say(f"{prefix}ROLLBACK_IN_PROGRESS", reason)
        made = {name: new["Resources"][name] for name in applied.created}
        resources = self.stack.resource_map
        template, template_dict, parameters = old
        if self.action == "CREATE":
            remove(resources, made, undone=True, told=self._tell)
            self._stand_for(template, {"Resources": {}})
            resources._resource_json_map = {}  # noqa: SLF001
        else:
            try:
                apply(
                    resources,
                    template_dict,
                    parameters,
                    Applied(),
                    told=self._tell,
                    changed=applied.updated,
                )
            except ResourceFailedError as again:
                self._say(
                    "UPDATE_ROLLBACK_FAILED",
                    f"The following resource(s) failed to update: [{again.logical_id}]. ",
                )
                return
            self._say("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
            remove(resources, made, undone=True, told=self._tell)
            self._stand_for(template, template_dict)
        self._say(f"{prefix}ROLLBACK_COMPLETE")

    def _stand_for(self, template: str, parsed: dict[str, Any]) -> None:
        self.stack.template, self.stack.template_dict = template, parsed
        self.stack.description = parsed.get("Description")
        self.stack.output_map = self.stack._create_output_map()  # noqa: SLF001

    def _export(self) -> None:
        """Let other stacks import what this one exports now, and no longer what it did."""
        exports, own = self.backend.exports, self.stack.stack_id
        for name in [n for n, export in exports.items() if export.exporting_stack_id == own]:
            del exports[name]
        exports.update({export.name: export for export in self.stack.exports})

    def _say(self, status: str, reason: str | None = None) -> None:
        self.stack.status = status
        self.stack._add_stack_event(status, resource_status_reason=reason)  # noqa: SLF001
        self.stack.events[-1].operation_id = self.operation_id  # type: ignore[attr-defined]

    def _tell_unless_cancelled(self, logical_id: str, status: str, reason: str = "") -> None:
        if self.stack in _CANCELLED and status.endswith("_IN_PROGRESS"):
            raise _CancelledError
        self._tell(logical_id, status, reason)

    def _tell(self, logical_id: str, status: str, reason: str = "") -> None:
        resources = self.stack.resource_map
        resource = resources._parsed_resources.get(logical_id)  # noqa: SLF001
        definition = resources._resource_json_map.get(logical_id, {})  # noqa: SLF001
        # Of what CloudFormation says of a resource, only the image: a deployment is known by it.
        # While a function is being changed it still has the image before.
        is_done = status.endswith("_COMPLETE")
        image = getattr(resource, "code", {}).get("ImageUri") if resource and is_done else None
        event = Event(
            stack_id=self.stack.stack_id,
            stack_name=self.stack.name,
            logical_resource_id=logical_id,
            physical_resource_id=str(getattr(resource, "physical_resource_id", "")),
            resource_type=definition.get("Type", getattr(resource, "cf_resource_type", "")),
            resource_status=status,
            resource_status_reason=reason or None,
            resource_properties=json.dumps({"Code": {"ImageUri": image}}) if image else None,
        )
        event.operation_id = self.operation_id  # type: ignore[attr-defined]
        self.stack.events.append(event)
