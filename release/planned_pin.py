"""The pin that an image will get, known before it is pinned: so one synth is for a whole release.

The pin is in the template of the rooms stack, and the gates need that template before there is one.
"""

import msgspec

from config.image_lock import ImagePin, read_image_lock
from config.project import Project, Stage, now
from config.settings import ConfigurationError
from imagecheck.errors import FailedError
from release.assembly_folders import use
from release.build.record import BuildRecord, read_record
from release.cloud_assembly import (
    CloudAssembly,
    assemblies_with_image,
    assembly_of,
    nobodys_pin,
)


def planned_pin(project: Project, stage: Stage, record: BuildRecord) -> ImagePin:
    """Return the pin that an image gets: the one that it has already, or one of now.

    Raises ConfigurationError when the lock file is not one.
    """
    pinned = read_image_lock(project.lock).get(stage.name)
    if pinned and (pinned.digest, pinned.architecture) == (record.digest, record.architecture):
        return pinned
    pin = ImagePin(
        digest=record.digest,
        architecture=record.architecture,
        base_digest=record.base_digest,
        source_revision=record.source_revision,
        pinned_at=now(),
    )
    # One that was planned before is kept with its time, unless another image was pinned since.
    for assembly in assemblies_with_image(project, stage, record.digest):
        planned = assembly.pin(stage)
        is_same = msgspec.structs.replace(planned, pinned_at=pin.pinned_at) == pin
        if is_same and (pinned is None or pinned.pinned_at < planned.pinned_at):
            return planned
    return pin


def assembly_with_image(project: Project, stage: Stage, digest: str) -> CloudAssembly:
    """Return a stage's assembly with this image pinned: for the gates before the real pin.

    One that is there already is taken, whatever else its pin says: the origin of an image has no
    influence on how it is run. Of the image that was built last it is made with the pin that
    `pin` will write. The lock file is not touched. Raises FailedError when the CDK CLI fails.
    """
    there = assemblies_with_image(project, stage, digest)
    if there and use(project, there[0].folder):
        return there[0]
    return assembly_of(project, stage, _pin(project, stage, digest))


def _pin(project: Project, stage: Stage, digest: str) -> ImagePin:
    try:
        record = read_record(project.root, stage.name)
        if (record.digest, record.architecture) == (digest, stage.settings.architecture):
            return planned_pin(project, stage, record)
    except (FailedError, ConfigurationError):  # a gate needs neither a record nor a lock file
        pass
    return nobodys_pin(stage, digest)
