"""A step of a release."""

from collections.abc import Callable
from dataclasses import dataclass

from release.ship.shipment import Shipment


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step: when it has nothing to do, and how it is run."""

    name: str
    done: Callable[[Shipment], str | None]
    """Says why there is nothing to do; None: it has to be run."""
    run: Callable[[Shipment], str]
    """Runs it, and says in a few words what came of it. Raises CommandError."""
    runs_cdk: bool = False
    """Whether the CDK CLI's output is shown when it fails."""


def never_done(_: Shipment) -> None:
    """Say that a step is run each time: it finds out by itself that nothing is to be done."""
