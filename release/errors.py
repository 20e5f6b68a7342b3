"""The error of a release command that says no."""

from imagecheck.errors import CommandError


class RefusedError(CommandError):
    """A gate or a check refuses to go on: exit status 1."""

    code = "REFUSED"
    exit_status = 1
