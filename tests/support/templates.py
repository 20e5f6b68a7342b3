"""The templates of the stacks, each context synthesized once a test process."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from aws_cdk import App
from aws_cdk.assertions import Template

from app import build_app
from tests.support.cdk_context import CDK_JSON, GITHUB, context


def rooms_template(**changed: str) -> dict[str, Any]:
    """Return the rooms stack's of stage dev with some context changed."""
    return template_of("rooms", context(**{"stage": "dev", **changed}))


def rooms_template_with(stage: str = "dev", **settings: Any) -> dict[str, Any]:
    """Return the rooms stack's of a stage with some settings changed."""
    return template_of("rooms", _context_with(stage, settings))


def web_template(stage: str = "dev") -> dict[str, Any]:
    """Return the web stack's of a stage."""
    return template_of("web", context(stage=stage))


def guard_template(stage: str = "prd") -> dict[str, Any]:
    """Return the guard stack's of a stage that has one."""
    return template_of("guard", context(stage=stage))


def delivery_template(stage: str = "dev") -> dict[str, Any]:
    """Return the delivery stack's of a stage, for the repository ``GITHUB``."""
    return template_of("delivery", context(stage=stage, github=GITHUB))


def web_template_with(**settings: Any) -> dict[str, Any]:
    """Return the web stack's of stage dev with some settings changed."""
    return template_of("web", _context_with("dev", settings))


def _context_with(stage: str, settings: dict[str, Any]) -> dict[str, Any]:
    stages = CDK_JSON["context"]["stages"]
    return context(stage=stage, stages={**stages, stage: {**stages[stage], **settings}})


def template_of(part: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return that of one of a stage's stacks with this context."""
    return template(f"hima-five-bomber-{given['stage']}-{part}", given)


def template(stack: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return that of a stack by its name, with this context."""
    return _template(stack, json.dumps(given))


@cache
def _template(stack: str, given: str) -> dict[str, Any]:
    found = _app(given).node.find_child(stack)
    return dict(Template.from_stack(found).to_json())  # type: ignore[arg-type]


@cache
def _app(given: str) -> App:
    """Return the app with this context. CDK synthesizes an app once, however often it is asked."""
    return build_app(context=json.loads(given))


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
