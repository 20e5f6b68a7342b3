"""moto's CloudFormation, made strict about what it lacks and careful about the order of updates."""

from collections.abc import Iterator
from typing import Any

from moto.cloudformation import parsing
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.parsing import ResourceMap

_load = ResourceMap.load


def mend() -> None:
    """Refuse templates with resource types that nothing here emulates, and update in order."""
    ResourceMap.load = _load_supported  # type: ignore[assignment, method-assign]
    ResourceMap.update = _update  # type: ignore[assignment, method-assign]


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
            + ": add one to local/emulated_aws/resources.py"
        )


def _update(
    resources: ResourceMap, template: dict[str, Any], parameters: dict[str, Any] | None = None
) -> None:
    """Change a stack in CloudFormation's order: what is referred to first, removals last.

    moto removes first, then adds, then modifies: a new Lambda version would be published before
    the function has its new code, and a retained one would be lost.
    """
    changes = resources.build_resource_diff(template, parameters)
    before = resources._resource_json_map  # noqa: SLF001
    resources._template = template  # noqa: SLF001
    resources.input_parameters = parameters or resources.input_parameters
    resources._resource_json_map = template["Resources"]  # noqa: SLF001
    resources.load()
    for logical_id in _referred_to_first(template["Resources"]):
        if logical_id in changes["Modify"]:
            _modify(resources, logical_id)
        else:
            resources[logical_id]  # A new one is created by being looked up.
    for logical_id in changes["Remove"]:
        resource = resources._parsed_resources.pop(logical_id, None)  # noqa: SLF001
        kept = str(before[logical_id].get("DeletionPolicy")).startswith("Retain")
        if resource is not None and not kept:
            resources._delete_resource(resource, before[logical_id])  # noqa: SLF001


def _modify(resources: ResourceMap, logical_id: str) -> None:
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


def _referred_to_first(definitions: dict[str, Any]) -> list[str]:
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
