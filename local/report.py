"""What is told while the system starts and runs."""

from typing import Protocol


class Report(Protocol):
    """Told as it happens, also from several threads."""

    def step(self, what: str, seconds: float) -> None:
        """A step of the start is done."""

    def request(self, method: str, path: str, status: int, milliseconds: float) -> None:
        """A request was answered."""

    def problem(self, text: str) -> None:
        """The function failed; the client was told no more than that."""


class Silence:
    """A report to nobody."""

    def step(self, what: str, seconds: float) -> None:
        """Say nothing."""

    def request(self, method: str, path: str, status: int, milliseconds: float) -> None:
        """Say nothing."""

    def problem(self, text: str) -> None:
        """Say nothing."""
