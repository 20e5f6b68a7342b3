"""Gates that are skipped are named where nobody can miss it."""

from collections.abc import Iterable

from imagecheck.terminal import say


def say_skipped(gates: Iterable[str]) -> None:
    """Tell a person which gates have not been passed, and what that means."""
    for gate in gates:
        say(f"SKIPPED: {gate}. This image has not passed it, and may not start.")
