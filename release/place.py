"""The first line of a command that talks to AWS: in which account and Region it does."""

from config.project import Stage
from imagecheck.image.aws import AwsError
from imagecheck.terminal import say


def say_place(stage: Stage) -> None:
    """Say where the stage is. Raises FailedError when no Region is known, or AWS says no."""
    say(f"{stage.name}: {stage.place}")


def say_place_if_known(stage: Stage) -> str | None:
    """Say where the stage is, and return the account; None where it cannot be asked.

    For a command that reports what else it could not read. Raises FailedError when no Region is
    known.
    """
    try:
        say_place(stage)
    except AwsError as error:
        say(str(error))
        return None
    return stage.account
