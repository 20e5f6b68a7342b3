"""The outcomes of a script."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Runs:
    """A program is executed, which stays, or for which the shell waits as its last command."""

    argv: tuple[str, ...]
    environment: dict[str, str]
    workdir: str


@dataclass(frozen=True)
class Ends:
    """The shell ends, with a status where that is certain."""

    status: int
    why: str


@dataclass(frozen=True)
class UnknownOutcome:
    """It is not certain what is run."""

    why: str


Outcome = Runs | Ends | UnknownOutcome


class DoneError(Exception):
    """The script has come to its program or its end."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome
