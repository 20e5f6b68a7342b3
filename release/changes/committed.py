"""What a state of the project would deploy: its template snapshots and its lock file."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import msgspec

from release.changes.sources import Source, UnreadableError
from release.changes.strict_json import read_object
from release.changes.values import as_json
from release.errors import CannotDoError
from stacks.image_lock import ImagePin

SNAPSHOTS: Final = "tests/stacks/__snapshots__/test_snapshots"
"""Where ``tests/stacks/test_snapshots.py`` keeps every template."""

NEVER_DEPLOYED: Final = "local"
"""The stage that lives in an emulated account."""


class StackId(NamedTuple):
    """Which stack of which stage."""

    stack: str
    stage: str


@dataclass(frozen=True)
class Unreadable:
    """Something is there, and cannot be read; ``why`` quotes nothing of it."""

    why: str


@dataclass(frozen=True)
class Committed:
    """A state of the project. ``odd_names`` counts snapshots whose names say no stack."""

    templates: Mapping[StackId, Mapping[str, Any] | Unreadable]
    pins: Mapping[str, ImagePin] | Unreadable
    odd_names: int


def read_committed(source: Source, where: str, lock: str) -> Committed:
    """Read a state of the project.

    Args:
        source: its files.
        where: what the person called it, for errors.
        lock: the lock file's path in it.

    Raises:
        CannotDoError: there are no snapshots, too many of them, or they cannot be listed.

    """
    names = [name for name in source.names(SNAPSHOTS) if name.startswith(_PREFIX)]
    if not names:
        raise CannotDoError(
            f"{where!r} has no template snapshots in {SNAPSHOTS}: name a checkout of this project"
        )
    if len(names) > _MAX_SNAPSHOTS:
        raise CannotDoError(f"{where!r} has more than {_MAX_SNAPSHOTS} template snapshots")
    stacks = {name: StackId(*match.groups()) for name in names if (match := _NAME.match(name))}
    return Committed(
        templates={
            stack: _template(source, f"{SNAPSHOTS}/{name}")
            for name, stack in stacks.items()
            if stack.stage != NEVER_DEPLOYED
        },
        pins=_pins(source, lock),
        odd_names=len(names) - len(stacks),
    )


_PREFIX: Final = "test_template["
_NAME: Final = re.compile(r"test_template\[([a-z][a-z0-9]{0,30})-([a-z][a-z0-9-]{0,30})\]\.json\Z")
_MAX_SNAPSHOTS: Final = 60
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
_MAX_RESOURCES: Final = 500
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/resources-section-structure.html
_LOGICAL_ID: Final = re.compile(r"[A-Za-z0-9]{1,255}\Z")


def _template(source: Source, path: str) -> Mapping[str, Any] | Unreadable:
    try:
        content = source.content(path)
        if content is None:
            return Unreadable("it is no plain file")
        template = read_object(content)
        _require_resources(template)
    except UnreadableError as error:
        return Unreadable(str(error))
    return template


def _require_resources(template: Mapping[str, Any]) -> None:
    resources = template.get("Resources")
    if not isinstance(resources, dict):
        raise UnreadableError("it has no resources, so it is no template")
    if len(resources) > _MAX_RESOURCES:
        raise UnreadableError(f"it has more than {_MAX_RESOURCES} resources")
    if "Transform" in template or '"Fn::Transform":' in as_json(template):
        raise UnreadableError("it has a transform, and only CloudFormation knows what that makes")
    for logical_id, resource in resources.items():
        if not _LOGICAL_ID.match(logical_id):
            raise UnreadableError("a logical id of it has other characters than letters and digits")
        if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
            raise UnreadableError("a resource of it has no type, so it is no template")
        if not isinstance(resource.get("Properties", {}), dict):
            raise UnreadableError("a resource of it has properties that are no object")


def _pins(source: Source, path: str) -> Mapping[str, ImagePin] | Unreadable:
    try:
        content = source.content(path)
        if content is None:
            return Unreadable("it is missing")
        pins = msgspec.convert(read_object(content), dict[str, ImagePin])
    except UnreadableError as error:
        return Unreadable(str(error))
    except msgspec.ValidationError:
        return Unreadable("it is not of a lock file's form")
    return {stage: pin for stage, pin in pins.items() if stage != NEVER_DEPLOYED}
