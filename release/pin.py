"""Pins an image that has passed its gates for a stage."""

from config.image_lock import ImagePin, write_pin
from config.project import Project, Stage
from release.build.record import BuildRecord
from release.errors import RefusedError
from release.place import say_place
from release.planned_pin import planned_pin
from release.registry.repository import StageRepository

_SOURCE = "lambda_src"
_NAMED = 3


def pin_image(project: Project, stage: Stage, record: BuildRecord, *, push_later: bool) -> ImagePin:
    """Write the image that was built last into the lock file, for a stage.

    Raises as ``require_pinnable`` does, and FailedError when the lock file cannot be written.
    """
    require_pinnable(project, stage, record, push_later=push_later)
    pin = planned_pin(project, stage, record)
    write_pin(project.lock, stage.name, pin)
    return pin


def require_pinnable(
    project: Project, stage: Stage, record: BuildRecord, *, push_later: bool
) -> None:
    """Require that the image that was built last can be pinned for a stage.

    Whether it has passed its gates is for the caller to see to; with ``push_later``, whether it is
    in the stage's repository is for `deploy`, and AWS is not asked.

    Raises:
        RefusedError: it is for another CPU, not of the source that is here now, or was not pushed.
        FailedError: git or AWS cannot be asked.

    """
    if record.architecture != stage.settings.architecture:
        raise RefusedError(
            f"the image is for {record.architecture}, but the functions of {stage.name} are"
            f" {stage.settings.architecture} (cdk.json)",
            hint=f"python -m release build {stage.name}",
        )
    _require_committed(project, stage, record)
    if not push_later:
        say_place(stage)
        StageRepository(stage).require(record.digest)


def is_of_this_source(project: Project, record: BuildRecord) -> bool:
    """Whether an image was built from the source that is here now.

    A commit that changes no source, such as that of a pin, changes no image either.
    """
    commit, built_from = project.revision().commit, record.source_revision
    return built_from == commit or project.is_same_since(built_from, _SOURCE)


def changed_now(project: Project) -> str:
    """Return the first files that are in no commit as they are; empty where there are none."""
    changed = project.changed_files()
    more = f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
    return ", ".join(changed[:_NAMED]) + more


def require_clean(project: Project) -> str:
    """Return the commit that the work tree is. Raises RefusedError when it has other changes."""
    commit, dirty = project.revision()
    if dirty:
        raise RefusedError(
            "the work tree has uncommitted changes, so no commit would name what is released: "
            + changed_now(project),
            hint="commit them, or put them aside: git stash --include-untracked",
        )
    return commit


def _require_committed(project: Project, stage: Stage, record: BuildRecord) -> None:
    """Require that the image is what a build of this commit would give."""
    again = f"python -m release build {stage.name}, and the gates after it"
    if record.dirty:
        named = changed_now(project)
        raise RefusedError(
            f"{record.digest} was built from uncommitted changes"
            + (f"; now these are: {named}" if named else ""),
            hint=f"commit them, and build again: {again}",
        )
    commit = require_clean(project)
    if not is_of_this_source(project, record):
        raise RefusedError(
            f"{record.digest} was built from {record.source_revision}, and {_SOURCE} has changed"
            f" since ({commit})",
            hint=f"build again: {again}",
        )
