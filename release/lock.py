"""The lock file, as commands change it: one stage's entry, and that whole or not at all."""

from release.errors import CannotDoError
from release.project import Project
from stacks.image_lock import ImagePin, read_image_lock, write_image_lock
from stacks.settings import ConfigurationError


def read_pins(project: Project) -> dict[str, ImagePin]:
    """Return the pin of every stage. Raises CannotDoError when the lock file cannot be read."""
    try:
        return read_image_lock(project.lock)
    except ConfigurationError as error:
        raise CannotDoError(str(error)) from None


def write_pin(project: Project, stage: str, pin: ImagePin) -> None:
    """Pin an image for a stage and leave the other stages' pins as they are.

    Raises CannotDoError when it cannot be written; the file is then as it was.
    """
    pins = read_pins(project)
    try:
        write_image_lock(project.lock, {**pins, stage: pin})
    except OSError as error:
        raise CannotDoError(
            f"{project.lock} cannot be written: {error.strerror}; it is as it was"
        ) from None
