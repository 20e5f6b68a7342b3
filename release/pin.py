"""An image that has passed its gates becomes the one that a stage runs."""

from release.errors import RefusedError
from release.lock import write_pin
from release.project import Project, Stage, now
from release.record import BuildRecord
from release.repository.repository import StageRepository
from stacks.image_lock import ImagePin

_SOURCE = "lambda_src"


def pin_image(project: Project, stage: Stage, record: BuildRecord, *, push_later: bool) -> ImagePin:
    """Write the image that was built last into the lock file, for a stage.

    Whether it has passed its gates is for the caller to see to; with ``push_later``, whether it is
    in the stage's repository is for `deploy`, and AWS is not asked.

    Raises:
        RefusedError: it is for another CPU, not of the source that is here now, or was not pushed.
        CannotDoError: git or AWS cannot be asked, or the lock file cannot be written.

    """
    if record.architecture != stage.settings.architecture:
        raise RefusedError(
            f"the image is for {record.architecture}, but the functions of {stage.name} are"
            f" {stage.settings.architecture} (cdk.json): build it for that stage, with"
            f" `python -m release build {stage.name}`"
        )
    _require_committed(project, stage, record)
    if not push_later:
        StageRepository(stage).require(record.digest)
    pin = ImagePin(
        digest=record.digest,
        architecture=record.architecture,
        base_digest=record.base_digest,
        source_revision=record.source_revision,
        pinned_at=now(),
    )
    write_pin(project, stage.name, pin)
    return pin


def require_clean(project: Project) -> str:
    """Return the commit that the work tree is. Raises RefusedError when it is more than that."""
    commit, dirty = project.revision()
    if dirty:
        raise RefusedError(
            "there are changes here that are in no commit, so nobody could tell what is released:"
            " commit them, or put them aside with `git stash --include-untracked`"
        )
    return commit


def _require_committed(project: Project, stage: Stage, record: BuildRecord) -> None:
    """See that the image is what building this commit would give."""
    build = f"run `python -m release build {stage.name}`, and the gates, again"
    if record.dirty:
        raise RefusedError(
            f"{record.digest} was built from changes that are in no commit: commit them, and"
            f" {build}"
        )
    commit = require_clean(project)
    built_from = record.source_revision
    # A commit that changes no source, such as that of a pin, changes no image either.
    if built_from != commit and not project.is_same_since(built_from, _SOURCE):
        raise RefusedError(
            f"{record.digest} was built from {built_from}, and {_SOURCE} is another one now"
            f" ({commit}): {build}"
        )
