"""Errors that are reported to the user in one message, without a traceback."""

from collections.abc import Mapping
from typing import Any, ClassVar


class CommandError(Exception):
    """A command did not succeed, for a reason that its user can act on.

    Args:
        message: what is wrong, in a sentence; it holds no secret.
        hint: what to do next: a command, or a sentence. It is printed on a line of its own.
        details: facts for a program that reads the JSON output.

    ``result`` is what the command found before that, for the JSON output: the fields of its result.
    """

    code: ClassVar[str] = "FAILED"
    """Names the kind of error to programs."""
    exit_status: ClassVar[int] = 2

    def __init__(
        self, message: str, *, hint: str | None = None, details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details or {}
        self.result: Mapping[str, Any] = {}


class FailedError(CommandError):
    """Something could not be done or found out: exit status 2."""


class UsageError(FailedError):
    """The command was called with an argument or a setting that it cannot use."""

    code = "INVALID_USAGE"
