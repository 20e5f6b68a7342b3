"""An operation on a stack: it creates, updates and deletes resources.

When one fails, a creation or an update rolls back.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import uuid4
from weakref import WeakSet

from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import CloudFormationBackend, Event, Stack
from moto.cloudformation.parsing import OutputMap

from local.emulated_aws.account import ACCOUNT_LOCK
from local.emulated_aws.cloudformation import Applied, ResourceFailedError, apply, remove
from local.emulated_aws.existing import find_existing

# In these, a stack can only be deleted.
_STUCK = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "UPDATE_ROLLBACK_FAILED"})


class Listener:
    """Hears of stacks; global to this process, as moto's state is."""

    deployed: ClassVar[Callable[[str], None]]
    """Gets the name of a stack on which an operation has succeeded, without the account's lock."""


class _CancelledError(Exception):
    """The change was cancelled."""


# The stacks whose change shall be cancelled.
_CANCELLED: WeakSet[Stack] = WeakSet()


def cancel(stack: Stack) -> None:
    """Let the change of a stack roll back before its next resource."""
    _CANCELLED.add(stack)


@dataclass
class StackOperation:
    """An operation on a stack. Raises ValidationError when the stack cannot be changed now."""

    backend: CloudFormationBackend
    stack: Stack
    action: str
    """CREATE, UPDATE or DELETE."""
    template: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    imports: bool = False
    """Whether what is there already is imported, in place of being made."""
    operation_id: str = field(default_factory=lambda: str(uuid4()))
    """It is in every event, and tells the CDK this change's failures from earlier ones."""

    def __post_init__(self) -> None:
        """Check the status of the stack."""
        status = self.stack.status
        busy = status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS"
        stuck = status in _STUCK and self.action != "DELETE"
        if busy or stuck:
            change = "deleted" if self.action == "DELETE" else "updated"
            raise ValidationError(
                message=f"Stack:{self.stack.stack_id} is in {status} state and can not be {change}."
            )

    def run(self) -> None:
        """Make the change, and roll it back when a resource fails or the change is cancelled."""
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
        self._set_status(f"{self.action}_IN_PROGRESS", "User Initiated")
        try:
            removed = apply(
                resources,
                new,
                self.parameters,
                applied,
                on_event=self._add_event_unless_cancelled,
                existing=self._existing,
            )
        except ResourceFailedError as failure:
            verb = failure.action.lower()
            reason = f"The following resource(s) failed to {verb}: [{failure.logical_id}]. "
            self._roll_back(reason, applied, new, old)
            return
        except _CancelledError:
            self._roll_back("User Initiated", applied, new, old)
            return
        except Exception:  # The request is refused.
            stack.status = status
            stack.events.pop()
            if not stack.template_dict or self.action == "CREATE":
                self.backend.stacks.pop(stack.stack_id, None)
            raise
        if removed:
            self._set_status("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
            remove(resources, removed, rolled_back=False, on_event=self._add_event)
        self._use_template(self.template, new)
        stack.parameters = self.parameters or stack.parameters
        self._update_exports()
        self._set_status(f"{self.action}_COMPLETE")
        with ACCOUNT_LOCK.released():
            Listener.deployed(stack.name)

    def delete(self) -> None:
        """Delete the stack, and its resources but for retained ones."""
        self._set_status("DELETE_IN_PROGRESS", "User Initiated")
        definitions = self.stack.template_dict.get("Resources", {})
        resources = self.stack.resource_map
        try:
            remove(resources, definitions, rolled_back=False, on_event=self._add_event)
        except Exception as error:  # noqa: BLE001  (whatever moto refuses, as in ``apply``)
            self._set_status("DELETE_FAILED", str(getattr(error, "message", error)))
            return
        self._remove_exports()
        # Of what is gone, an output that is read would make a new one.
        self.stack.template_dict = {"Resources": {}}
        self.stack.output_map = self.stack._create_output_map()  # noqa: SLF001
        # The CDK gives those of the next stack of this name the same names.
        for change_set in list(self.backend.change_sets.values()):
            if change_set.stack_id == self.stack.stack_id:
                del self.backend.change_sets[change_set.change_set_id]
        self.backend.deleted_stacks[self.stack.stack_id] = self.stack
        del self.backend.stacks[self.stack.stack_id]
        self._set_status("DELETE_COMPLETE")

    def _existing(self, new: list[str]) -> Mapping[str, Any]:
        return find_existing(self.backend, self.stack.resource_map, new) if self.imports else {}

    def _forget(self, imported: list[str]) -> None:
        """Let what was imported be as it was: there, and no stack's."""
        for logical_id in imported:
            del self.stack.resource_map._parsed_resources[logical_id]  # noqa: SLF001
            self._add_event(logical_id, "DELETE_SKIPPED")

    def _roll_back(
        self,
        reason: str,
        applied: Applied,
        new: dict[str, Any],
        old: tuple[Any, dict[str, Any], dict[str, Any]],
    ) -> None:
        self.operation_id = str(uuid4())  # A rollback is an operation of its own.
        prefix = "" if self.action == "CREATE" else "UPDATE_"
        self._set_status(f"{prefix}ROLLBACK_IN_PROGRESS", reason)
        created = {name: new["Resources"][name] for name in applied.created}
        resources = self.stack.resource_map
        template, template_dict, parameters = old
        self._forget(applied.imported)
        if self.action == "CREATE":
            remove(resources, created, rolled_back=True, on_event=self._add_event)
            self._use_template(template, {"Resources": {}})
            resources._resource_json_map = {}  # noqa: SLF001
        else:
            try:
                apply(
                    resources,
                    template_dict,
                    parameters,
                    Applied(),
                    on_event=self._add_event,
                    changed=applied.updated,
                )
            except ResourceFailedError as second:
                self._set_status(
                    "UPDATE_ROLLBACK_FAILED",
                    f"The following resource(s) failed to update: [{second.logical_id}]. ",
                )
                return
            self._set_status("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
            remove(resources, created, rolled_back=True, on_event=self._add_event)
            self._use_template(template, template_dict)
        self._set_status(f"{prefix}ROLLBACK_COMPLETE")

    def _use_template(self, template: str, parsed: dict[str, Any]) -> None:
        self.stack.template, self.stack.template_dict = template, parsed
        self.stack.description = parsed.get("Description")
        self.stack.output_map = self.stack._create_output_map()  # noqa: SLF001

    def _update_exports(self) -> None:
        """Replace the earlier exports of this stack."""
        self._remove_exports()
        self.backend.exports.update({export.name: export for export in self.stack.exports})

    def _remove_exports(self) -> None:
        exports, own = self.backend.exports, self.stack.stack_id
        for name in [n for n, export in exports.items() if export.exporting_stack_id == own]:
            del exports[name]

    def _set_status(self, status: str, reason: str | None = None) -> None:
        self.stack.status = status
        self.stack._add_stack_event(status, resource_status_reason=reason)  # noqa: SLF001
        self.stack.events[-1].operation_id = self.operation_id  # type: ignore[attr-defined]

    def _add_event_unless_cancelled(self, logical_id: str, status: str, reason: str = "") -> None:
        if self.stack in _CANCELLED and status.endswith("_IN_PROGRESS"):
            raise _CancelledError
        self._add_event(logical_id, status, reason)

    def _add_event(self, logical_id: str, status: str, reason: str = "") -> None:
        resources = self.stack.resource_map
        resource = resources._parsed_resources.get(logical_id)  # noqa: SLF001
        definition = resources._resource_json_map.get(logical_id, {})  # noqa: SLF001
        # Of the properties only the image, by which a deployment is recognized. A function that is
        # being changed still has the image from before.
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
