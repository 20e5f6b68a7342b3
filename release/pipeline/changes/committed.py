"""The committed state of the project: its template snapshots and its lock file."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import msgspec

from config.image_lock import ImagePin
from imagecheck.errors import FailedError
from release.pipeline.changes.sources import Source, UnreadableError
from release.pipeline.changes.strict_json import read_object
from release.pipeline.changes.values import as_json

SNAPSHOTS: Final = "tests/stacks/__snapshots__/test_snapshots"
"""Where ``tests/stacks/test_snapshots.py`` keeps every template."""

NEVER_DEPLOYED: Final = "local"
"""The stage that lives in an emulated account."""


class StackId(NamedTuple):
    """Which stack of which stage."""

    stack: str
    stage: str


@dataclass(frozen=True)
class UnreadableFile:
    """Something is there, and cannot be read; ``why`` quotes nothing of it."""

    why: str


@dataclass(frozen=True)
class Committed:
    """A state of the project. ``odd_names`` counts snapshots whose names say no stack."""

    templates: Mapping[StackId, Mapping[str, Any] | UnreadableFile]
    pins: Mapping[str, ImagePin] | UnreadableFile
    odd_names: int


def read_committed(source: Source, where: str, lock: str) -> Committed:
    """Read a state of the project.

    Args:
        source: its files.
        where: what the person called it, for errors.
        lock: the lock file's path in it.

    Raises:
        FailedError: there are no snapshots, too many of them, or they cannot be listed.

    """
    names = [name for name in source.names(SNAPSHOTS) if name.startswith(_PREFIX)]
    if not names:
        raise FailedError(
            f"{where!r} has no template snapshots in {SNAPSHOTS}",
            hint="name a revision or a checkout of this project",
        )
    if len(names) > _MAX_SNAPSHOTS:
        raise FailedError(f"{where!r} has more than {_MAX_SNAPSHOTS} template snapshots")
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


def _template(source: Source, path: str) -> Mapping[str, Any] | UnreadableFile:
    try:
        content = source.content(path)
        if content is None:
            return UnreadableFile("it is not a regular file")
        template = read_object(content)
        _require_resources(template)
    except UnreadableError as error:
        return UnreadableFile(str(error))
    return template


def _require_resources(template: Mapping[str, Any]) -> None:
    resources = template.get("Resources")
    if not isinstance(resources, dict):
        raise UnreadableError("it has no resources, so it is not a template")
    if len(resources) > _MAX_RESOURCES:
        raise UnreadableError(f"it has more than {_MAX_RESOURCES} resources")
    if "Transform" in template or '"Fn::Transform":' in as_json(template):
        raise UnreadableError("it has a transform, which only CloudFormation can expand")
    for logical_id, resource in resources.items():
        if not _LOGICAL_ID.match(logical_id):
            raise UnreadableError("it has a logical ID that is not letters and digits alone")
        if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
            raise UnreadableError("it has a resource without a type, so it is not a template")
        if not isinstance(resource.get("Properties", {}), dict):
            raise UnreadableError("it has a resource whose properties are not an object")


def _pins(source: Source, path: str) -> Mapping[str, ImagePin] | UnreadableFile:
    try:
        content = source.content(path)
        if content is None:
            return UnreadableFile("it is missing")
        pins = msgspec.convert(read_object(content), dict[str, ImagePin])
    except UnreadableError as error:
        return UnreadableFile(str(error))
    except msgspec.ValidationError:
        return UnreadableFile("it does not have the form of a lock file")
    return {stage: pin for stage, pin in pins.items() if stage != NEVER_DEPLOYED}
