"""Applies a template to moto's resources, in CloudFormation's order, and refuses unknown types."""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from moto.cloudformation import parsing
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import cloudformation_backends
from moto.cloudformation.parsing import ResourceMap

from local.emulated_aws.account import ACCOUNT_LOCK
from local.emulated_aws.patching import Patch

_load = ResourceMap.load
_clean = parsing.clean_json
_logger = logging.getLogger("werkzeug")


class OnEvent(Protocol):
    """Receives an event when the change of a resource begins and when it ends."""

    def __call__(self, logical_id: str, status: str, reason: str = "") -> None:
        """``status`` is as in DescribeStackEvents."""


class ResourceFailedError(Exception):
    """A resource could not be created or updated; those before it have been changed."""

    def __init__(self, logical_id: str, action: str) -> None:
        super().__init__(logical_id)
        self.logical_id = logical_id
        self.action = action


@dataclass
class Applied:
    """The resources that were created, imported and updated so far, in this order."""

    created: list[str] = field(default_factory=list)
    imported: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)


def patches() -> tuple[Patch, ...]:
    """Return patches: unknown resource types are refused, and Fn::GetStackOutput is known."""
    return (
        Patch(ResourceMap, "load", _load_supported),
        Patch(parsing, "clean_json", _clean_json),
    )


def apply(
    resources: ResourceMap,
    template: dict[str, Any],
    parameters: Mapping[str, Any],
    applied: Applied,
    *,
    on_event: OnEvent,
    changed: Collection[str] | None = None,
    existing: Callable[[list[str]], Mapping[str, Any]] = lambda _: {},
) -> dict[str, Any]:
    """Create and update the resources of a template, each after those that it refers to.

    The caller holds the account's lock; others get it in between. Nothing is removed: the
    definitions that the template no longer has are returned, for ``remove``. ``changed`` names the
    resources to update, in place of those with a new definition: a rollback reverts what was done.
    ``existing`` returns, of the logical ids that are new, the resources to import instead.
    moto itself removes first, then adds, then modifies: a new Lambda version would be published
    before the function has its new code, and a retained one would be lost.

    Raises:
        ValidationError: the template cannot be applied; nothing has been done.
        ResourceFailedError: one of its resources could not be created or updated.

    """
    previous = resources._resource_json_map  # noqa: SLF001
    if changed is None:
        changed = resources.build_resource_diff(template, dict(parameters))["Modify"]
    with _switched(resources, template, parameters):
        imports = existing(_new(resources, template))
    replaced: set[str] = set()
    for logical_id in _dependencies_first(template["Resources"]):
        definition = template["Resources"][logical_id]
        if not resources.lazy_condition_map.get(definition.get("Condition"), True):
            continue
        existing_one = resources._parsed_resources.get(logical_id)  # noqa: SLF001
        if existing_one is None and logical_id in imports:
            _import(resources, logical_id, imports[logical_id], applied, on_event)
            continue
        if existing_one is None:
            action, touched = "CREATE", applied.created
        elif logical_id in changed or replaced.intersection(_references_in_properties(definition)):
            action, touched = "UPDATE", applied.updated
        else:
            continue
        on_event(logical_id, f"{action}_IN_PROGRESS")
        touched.append(logical_id)
        physical_id = getattr(existing_one, "physical_resource_id", None)
        try:
            # Looking up a new resource creates it.
            is_new = existing_one is None
            resource = resources[logical_id] if is_new else _modify(resources, logical_id)
        except Exception as error:
            _logger.info("%s of %s", action, logical_id, exc_info=True)
            on_event(logical_id, f"{action}_FAILED", str(getattr(error, "message", error)))
            raise ResourceFailedError(logical_id, action) from error
        if getattr(resource, "physical_resource_id", None) != physical_id:
            replaced.add(logical_id)
        on_event(logical_id, f"{action}_COMPLETE")
        ACCOUNT_LOCK.yield_turn()  # A request to the table times out after a second.
    return {name: previous[name] for name in previous if name not in template["Resources"]}


def remove(
    resources: ResourceMap, definitions: Mapping[str, Any], *, rolled_back: bool, on_event: OnEvent
) -> None:
    """Delete resources, each before those that it refers to, except for retained ones.

    ``rolled_back``: the deployment that is rolled back created them. Then ``RetainExceptOnCreate``
    does not retain them.
    """
    retaining = ("Retain",) if rolled_back else ("Retain", "RetainExceptOnCreate")
    for logical_id in reversed(_dependencies_first(definitions)):
        definition = definitions[logical_id]
        resource = resources._parsed_resources.pop(logical_id, None)  # noqa: SLF001
        if resource is None:
            continue
        if definition.get("DeletionPolicy") in retaining:
            on_event(logical_id, "DELETE_SKIPPED")
        else:
            on_event(logical_id, "DELETE_IN_PROGRESS")
            resources._delete_resource(resource, definition)  # noqa: SLF001
            on_event(logical_id, "DELETE_COMPLETE")
            ACCOUNT_LOCK.yield_turn()


def _load_supported(resources: ResourceMap) -> None:
    _load(resources)
    _require_supported(resources)
    # "Use the previous value" of an update asks for values that were defaults, too.
    for name, parameter in resources._template.get("Parameters", {}).items():  # noqa: SLF001
        if "Default" in parameter:
            resources.input_parameters.setdefault(name, parameter["Default"])


def _clean_json(value: Any, resources: ResourceMap) -> Any:
    """Fill in what moto knows, and the outputs of other stacks, in any Region."""
    match value:
        case {"Fn::GetStackOutput": {"StackName": name, "OutputName": output, **others}}:
            own = resources._region_name  # noqa: SLF001
            region = _clean_json(others.get("Region", own), resources)
            stacks = cloudformation_backends[resources._account_id][region].stacks  # noqa: SLF001
            for stack in stacks.values():
                # A look-up of an output that is not there ends in an error of moto's own.
                is_there = stack.name == name and output in stack.output_map.outputs
                if is_there and (found := stack.output_map[output]):
                    return found.value
            raise ValidationError(
                message=f"Template error: the stack {name} in {region} has no output {output}"
            )
    return _clean(value, resources)


def _require_supported(resources: ResourceMap) -> None:
    """Raise ValidationError for unknown resource types, which moto skips with a warning."""
    unsupported = [
        f"{resource['Type']} ({logical_id})"
        for logical_id, resource in resources._template.get("Resources", {}).items()  # noqa: SLF001
        if resource["Type"] not in parsing.get_model_map()
        and resource["Type"] not in parsing.NULL_MODELS
        and resources.lazy_condition_map.get(resource.get("Condition"), True)
    ]
    if unsupported:
        raise ValidationError(
            message="The emulated CloudFormation has no model for "
            + ", ".join(sorted(unsupported))
            + ": add one to local/emulated_aws/resources/"
        )


def _new(resources: ResourceMap, template: Mapping[str, Any]) -> list[str]:
    """Return the logical ids of what is to be made."""
    return [
        name
        for name, definition in template["Resources"].items()
        if name not in resources._parsed_resources  # noqa: SLF001
        and resources.lazy_condition_map.get(definition.get("Condition"), True)
    ]


def _import(
    resources: ResourceMap, logical_id: str, resource: Any, applied: Applied, on_event: OnEvent
) -> None:
    on_event(logical_id, "IMPORT_IN_PROGRESS")
    applied.imported.append(logical_id)
    resources._parsed_resources[logical_id] = resource  # noqa: SLF001
    on_event(logical_id, "IMPORT_COMPLETE")


@contextmanager
def _switched(
    resources: ResourceMap, template: dict[str, Any], parameters: Mapping[str, Any]
) -> Iterator[None]:
    """Load another template. The map keeps the old one where this, or the block, raises."""
    old = resources._template, resources._resource_json_map, resources.input_parameters  # noqa: SLF001
    new = template, template["Resources"], dict(parameters) or resources.input_parameters
    resources._template, resources._resource_json_map, resources.input_parameters = new  # noqa: SLF001
    try:
        resources.load()
        yield
    except Exception:
        resources._template, resources._resource_json_map, resources.input_parameters = old  # noqa: SLF001
        raise


def _modify(resources: ResourceMap, logical_id: str) -> Any:
    definition = resources._resource_json_map[logical_id]  # noqa: SLF001
    changed: Any = parsing.parse_and_update_resource(
        logical_id,
        definition,
        resources,
        resources._account_id,  # noqa: SLF001
        resources._region_name,  # noqa: SLF001
    )
    if changed is None:
        raise ValidationError(
            message=f"The emulated CloudFormation cannot update {definition['Type']} "
            f"({logical_id}): start again from an empty account"
        )
    resources._parsed_resources[logical_id] = changed  # noqa: SLF001
    return changed


def _dependencies_first(definitions: Mapping[str, Any]) -> list[str]:
    ordered: dict[str, None] = {}

    def visit(logical_id: str, path: tuple[str, ...]) -> None:
        if logical_id in ordered or logical_id in path:
            return
        for reference in _references(definitions[logical_id]):
            if reference in definitions:
                visit(reference, (*path, logical_id))
        ordered[logical_id] = None

    for logical_id in definitions:
        visit(logical_id, ())
    return list(ordered)


def _references_in_properties(definition: Mapping[str, Any]) -> Iterator[str]:
    """Yield the references of a definition except for DependsOn."""
    return _references({name: part for name, part in definition.items() if name != "DependsOn"})


def _references(value: Any) -> Iterator[str]:
    """Yield the logical ids (and more) that Ref, Fn::GetAtt and DependsOn name.

    Names in the text of Fn::Sub are not found: the CDK writes Fn::Join.
    """
    match value:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::GetAtt": [str(name), *_]}:
            yield name
        case dict():
            depends_on = value.get("DependsOn", [])
            yield from [depends_on] if isinstance(depends_on, str) else depends_on
            for item in value.values():
                yield from _references(item)
        case list():
            for item in value:
                yield from _references(item)
