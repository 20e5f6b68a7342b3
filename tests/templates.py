"""The template of the rooms stack, each way of deploying it synthesized once a test process."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from aws_cdk.assertions import Template

from app import build_app
from tests.cdk_context import context


@cache
def rooms_template(**changed: str) -> dict[str, Any]:
    """Return the template of stage dev with some context changed."""
    app = build_app(context=context(**{"stage": "dev", **changed}))
    stack = app.node.find_child("hima-five-bomber-dev-rooms")
    return dict(Template.from_stack(stack).to_json())  # type: ignore[arg-type]


def resources(template: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return the resources of a type, by logical id."""
    found: dict[str, Any] = template["Resources"]
    return {name: each for name, each in found.items() if each["Type"] == kind}


def only(template: dict[str, Any], kind: str, *, named: str = "") -> Any:
    """Return the properties of the one resource of a type whose logical id begins like this."""
    (found,) = (each for name, each in resources(template, kind).items() if name.startswith(named))
    return found["Properties"]


def waits_for(template: dict[str, Any], name: str, *, ignoring: str = "") -> set[str]:
    """Return all that CloudFormation makes before this resource, by reference or DependsOn.

    ``ignoring`` names an attribute of resources whose references do not count.
    """
    found: set[str] = set()
    waiting = [name]
    while waiting:
        resource = template["Resources"][waiting.pop()]
        counted = {key: value for key, value in resource.items() if key != ignoring}
        depends = resource.get("DependsOn", [])
        named = {*([depends] if isinstance(depends, str) else depends), *_references(counted)}
        new = {each for each in named if each in template["Resources"]} - found
        found |= new
        waiting += new
    return found


def _references(value: Any) -> Iterator[str]:
    match value:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::GetAtt": [str(name), *_]}:
            yield name
        case {"Fn::Sub": _}:
            return
        case dict():
            for each in value.values():
                yield from _references(each)
        case list():
            for each in value:
                yield from _references(each)
