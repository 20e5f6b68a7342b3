"""A template applied to moto's resources, in CloudFormation's order and strict about what lacks."""

import logging
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from moto.cloudformation import parsing
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.parsing import ResourceMap

from local.emulated_aws.account import ACCOUNT_LOCK
from local.emulated_aws.mending import Mend

_load = ResourceMap.load
_logger = logging.getLogger("werkzeug")


class Told(Protocol):
    """Told of each resource that begins to change, and how it ends."""

    def __call__(self, logical_id: str, status: str, reason: str = "") -> None:
        """``status`` is as in DescribeStackEvents."""


class ResourceFailedError(Exception):
    """A resource could not be created or updated. What was changed before it, is changed."""

    def __init__(self, logical_id: str, action: str) -> None:
        super().__init__(logical_id)
        self.logical_id = logical_id
        self.action = action


@dataclass
class Applied:
    """What applying a template has touched, in its order; filled as it goes."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)


def mends() -> tuple[Mend, ...]:
    """Refuse templates with resource types that nothing here emulates."""
    return (Mend(ResourceMap, "load", _load_supported),)


def apply(
    resources: ResourceMap,
    template: dict[str, Any],
    parameters: Mapping[str, Any],
    applied: Applied,
    *,
    told: Told,
    changed: Collection[str] | None = None,
) -> dict[str, Any]:
    """Create and update what the template says, what is referred to first.

    To be called with the account's lock held, and others get it in between.
    Nothing is removed: the definitions that the template no longer has are returned, for
    ``remove``. ``changed`` are the resources to be updated, instead of those whose definitions are
    other than before: a roll back undoes what was done, and not what was to come.
    moto removes first, then adds, then modifies: a new Lambda version would be published before
    the function has its new code, and a retained one would be lost.

    Raises:
        ValidationError: the template cannot be applied; nothing has been done.
        ResourceFailedError: one of its resources could not be created or updated.

    """
    before = resources._resource_json_map  # noqa: SLF001
    if changed is None:
        changed = resources.build_resource_diff(template, dict(parameters))["Modify"]
    _switch(resources, template, parameters)
    moved: set[str] = set()
    for logical_id in _referred_to_first(template["Resources"]):
        definition = template["Resources"][logical_id]
        if not resources.lazy_condition_map.get(definition.get("Condition"), True):
            continue
        is_there = resources._parsed_resources.get(logical_id)  # noqa: SLF001
        if is_there is None:
            action, touched = "CREATE", applied.created
        elif logical_id in changed or moved.intersection(_references_in_properties(definition)):
            action, touched = "UPDATE", applied.updated
        else:
            continue
        told(logical_id, f"{action}_IN_PROGRESS")
        touched.append(logical_id)
        physical_id = getattr(is_there, "physical_resource_id", None)
        try:
            # A new one is created by being looked up.
            resource = resources[logical_id] if is_there is None else _modify(resources, logical_id)
        except Exception as error:
            _logger.info("%s of %s", action, logical_id, exc_info=True)
            told(logical_id, f"{action}_FAILED", str(getattr(error, "message", error)))
            raise ResourceFailedError(logical_id, action) from error
        if getattr(resource, "physical_resource_id", None) != physical_id:
            moved.add(logical_id)
        told(logical_id, f"{action}_COMPLETE")
        ACCOUNT_LOCK.let_others()  # A client's request to the table waits a second, and no longer.
    return {name: before[name] for name in before if name not in template["Resources"]}


def remove(
    resources: ResourceMap, definitions: Mapping[str, Any], *, undone: bool, told: Told
) -> None:
    """Delete resources, what refers to others first, but for those that DeletionPolicy keeps.

    ``undone`` says that they were made by the deployment that is rolled back: then
    ``RetainExceptOnCreate`` does not keep them.
    """
    keeping = ("Retain",) if undone else ("Retain", "RetainExceptOnCreate")
    for logical_id in reversed(_referred_to_first(definitions)):
        definition = definitions[logical_id]
        resource = resources._parsed_resources.pop(logical_id, None)  # noqa: SLF001
        if resource is None:
            continue
        if definition.get("DeletionPolicy") in keeping:
            told(logical_id, "DELETE_SKIPPED")
        else:
            told(logical_id, "DELETE_IN_PROGRESS")
            resources._delete_resource(resource, definition)  # noqa: SLF001
            told(logical_id, "DELETE_COMPLETE")
            ACCOUNT_LOCK.let_others()


def _load_supported(resources: ResourceMap) -> None:
    _load(resources)
    _require_supported(resources)
    # "Use the previous value" of an update asks for values that were defaults, too.
    for name, parameter in resources._template.get("Parameters", {}).items():  # noqa: SLF001
        if "Default" in parameter:
            resources.input_parameters.setdefault(name, parameter["Default"])


def _require_supported(resources: ResourceMap) -> None:
    """moto leaves out what it does not know, with a warning; a deploy must fail instead."""
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


def _switch(
    resources: ResourceMap, template: dict[str, Any], parameters: Mapping[str, Any]
) -> None:
    """Let the map stand for another template. Raises ValidationError, and then it does not."""
    old = resources._template, resources._resource_json_map, resources.input_parameters  # noqa: SLF001
    new = template, template["Resources"], dict(parameters) or resources.input_parameters
    resources._template, resources._resource_json_map, resources.input_parameters = new  # noqa: SLF001
    try:
        resources.load()
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


def _referred_to_first(definitions: Mapping[str, Any]) -> list[str]:
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
    """Yield what it is made of, without what it only waits for."""
    return _references({name: part for name, part in definition.items() if name != "DependsOn"})


def _references(value: Any) -> Iterator[str]:
    """Yield the logical ids (and more) that Ref, Fn::GetAtt and DependsOn name.

    Fn::Sub with names in its text is not looked at: the CDK writes Fn::Join.
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
