"""Ways that a script may go where only Lambda knows which: what they have in common."""

from collections.abc import Callable, Sequence
from typing import Final

from imagecheck.start.shell.outcome import DoneError, Ends
from imagecheck.start.shell.state import UNKNOWN, State
from imagecheck.start.shell.syntax import UnknownOnLambdaError, UnsupportedScriptError

_MAX_FORKS: Final = 8
"""How many conditions in one another may be open: each doubles the work."""

Way = Callable[[State], int | None]
"""Runs one way in a state of its own, and returns the status of its last command."""


def run_branches(ways: Sequence[Way], state: State) -> int | None:
    """Run each way, and leave in ``state`` what is the same behind all of them.

    A way that ends with an error is left out: what comes behind the others is then not all that
    may fail. A variable with several values becomes one that is not known. Raises
    UnsupportedScriptError where the ways differ in what they start or where.
    """
    if state.forks >= _MAX_FORKS:
        raise UnsupportedScriptError("conditions in conditions that are known only on Lambda")
    ends: list[State] = []
    statuses: list[int | None] = []
    failed: DoneError | None = None
    for way in ways:
        own = state.copy()
        own.forks += 1
        try:
            statuses.append(way(own))
        except DoneError as done:
            if not isinstance(done.outcome, Ends) or not done.outcome.status:
                raise UnsupportedScriptError("a condition that is known only on Lambda") from None
            failed = done
            continue
        except UnknownOnLambdaError:
            statuses.append(None)
        ends.append(own)
    if not ends:
        assert failed  # noqa: S101  (there is at least one way)
        raise failed
    _join(ends, state)
    return statuses[0] if len(set(statuses)) == 1 else None


def _join(ends: Sequence[State], state: State) -> None:
    first = ends[0]
    if any(_place(end) != _place(first) for end in ends):
        raise UnsupportedScriptError("a condition that is known only on Lambda")
    names = {name for end in ends for name in end.variables}
    state.variables = {
        name: first.variables.get(name, UNKNOWN)
        if len({end.variables.get(name) for end in ends}) == 1
        else UNKNOWN
        for name in names
    }
    state.exported = set().union(*(end.exported for end in ends))
    state.arguments = list(first.arguments)
    state.workdir = first.workdir
    state.ends_on_error = first.ends_on_error


def _place(state: State) -> tuple[object, ...]:
    return tuple(state.arguments), state.workdir, state.ends_on_error
