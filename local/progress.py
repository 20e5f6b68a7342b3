"""Progress of the local system: the steps of its start, its requests and its problems."""

from typing import Protocol


class ProgressReport(Protocol):
    """Receives events as they happen, possibly from several threads."""

    def step(self, what: str, seconds: float) -> None:
        """A step of the start is done."""

    def request(self, method: str, path: str, status: int, milliseconds: float) -> None:
        """A request was answered."""

    def problem(self, text: str) -> None:
        """The function failed; its client got an error without the reason."""


class SilentProgress:
    """Prints nothing."""

    def step(self, what: str, seconds: float) -> None:
        """Do nothing."""

    def request(self, method: str, path: str, status: int, milliseconds: float) -> None:
        """Do nothing."""

    def problem(self, text: str) -> None:
        """Do nothing."""
