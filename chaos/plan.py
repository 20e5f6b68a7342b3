"""What everybody will want, and which faults they will meet: the same for the same seed."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from chaos.faults import NO_FAULT, Fault
from chaos.function_code import ROOM_CODES, room_codes
from chaos.model import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

STEPS: Final = 12
"""How many operations a person asks for."""

_CARDS: Final = 4
_FAULTY: Final = 0.3
_REPEATS: Final = 0.65
_ANONYMOUS: Final = 0.12
_TABS: Final = 0.12
_CONTENDED: Final = 0.12
_HITS: Final = {frozenset({0}): 60, frozenset({0, 1}): 20, frozenset({1}): 5, None: 15}
# Who is alone opens and closes the room all the time.
_SIZES: Final = (1, 1, 3, 4, 5, 6, 7)
_OF_WRITES: Final = 0.6
_PAUSES_S: Final = (0.0, 0.0, 0.02, 0.1)
_LONG: Final = 0.08
_LONG_PAUSE_S: Final = (0.5, 4.0)

_SEATED: Final = {Kind.GET: 40, Kind.LEAVE: 35, Kind.JOIN: 25}
_UNSEATED: Final = {Kind.JOIN: 60, Kind.GET: 28, Kind.LEAVE: 12}
_SEATED_HOST: Final = {Kind.GET: 35, Kind.LEAVE: 40, Kind.CREATE: 15, Kind.JOIN: 10}
_UNSEATED_HOST: Final = {Kind.CREATE: 65, Kind.JOIN: 15, Kind.GET: 12, Kind.LEAVE: 8}


@dataclass(frozen=True, kw_only=True)
class Step:
    """One operation, as far as it is known before: the rest depends on the answers.

    ``hits`` are the numbers of the function's requests that the fault meets; None is all. Only its
    writes are counted with ``of_writes``: some operations read first.
    """

    seated: Kind
    unseated: Kind
    repeats: bool
    """After no answer, it asks the same again, whatever it wanted."""
    anonymous: bool
    """It brings no token, when it joins or creates."""
    pause_s: float
    fault: Fault
    hits: frozenset[int] | None
    of_writes: bool
    seed: int


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody with a name and a token of their own; and what they want in each of their tabs."""

    name: str
    token: str
    is_host: bool
    tabs: tuple[tuple[Step, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Story:
    """Some people around one room code."""

    number: int
    people: tuple[Person, ...]
    codes: dict[str, tuple[str, ...]]
    """The codes that a host's create tries, by token."""
    is_of_two_versions: bool

    @property
    def room(self) -> str:
        """The code that everybody knows."""
        return next(self.codes[one.token][0] for one in self.people if one.is_host)

    @property
    def operations(self) -> int:
        """How many operations they ask for."""
        return sum(len(tab) for person in self.people for tab in person.tabs)


def plan(
    seed: int, operations: int, faults: Sequence[Fault], *, is_of_two_versions: bool = False
) -> list[Story]:
    """Return stories of at least so many operations; without faults, none is met."""
    rng = random.Random(f"{seed} {is_of_two_versions}")
    drafts = list(_drafts(rng, operations, _drawn_evenly(rng, faults)))
    hosts = [one.token for _, people in drafts for one in people if one.is_host]
    prefix = f"chaos{rng.getrandbits(64):016x}"
    # So many have about that many pairs among them, as birthdays do.
    tried = math.isqrt(2 * ROOM_CODES * sum(is_contended for is_contended, _ in drafts))
    rivals, codes = room_codes(hosts, prefix=prefix, tried=tried)
    stories = []
    for number, (is_contended, people) in enumerate(drafts):
        if is_contended and rivals:
            people = _rivals(people, rivals.pop())  # noqa: PLW2901  (the same people)
        own = {one.token: codes[one.token] for one in people if one.is_host}
        stories.append(
            Story(number=number, people=people, codes=own, is_of_two_versions=is_of_two_versions)
        )
    return stories


def _rivals(people: tuple[Person, ...], tokens: tuple[str, str]) -> tuple[Person, ...]:
    """Make the first two hosts, who want the same code."""
    hosts = (
        replace(one, token=token, is_host=True) for one, token in zip(people, tokens, strict=False)
    )
    return (*hosts, *people[2:])


def _drafts(
    rng: random.Random, operations: int, faults: Iterator[Fault]
) -> Iterator[tuple[bool, tuple[Person, ...]]]:
    planned = 0
    number = 0
    while planned < operations:
        is_contended = rng.random() < _CONTENDED
        hosts = 1 + is_contended
        people = tuple(
            Person(
                # Of several bytes a letter, and no name of anybody else.
                name=f"ひま{number:05d}-{place}",
                token=f"chaos-{rng.getrandbits(192):048x}",
                is_host=place < hosts,
                tabs=tuple(
                    tuple(_step(rng, faults, is_host=place < hosts) for _ in range(STEPS))
                    for _ in range(1 + (rng.random() < _TABS))
                ),
            )
            for place in range(max(hosts, rng.choice(_SIZES)))
        )
        yield is_contended, people
        planned += sum(len(tab) for person in people for tab in person.tabs)
        number += 1


def _drawn_evenly(rng: random.Random, faults: Sequence[Fault]) -> Iterator[Fault]:
    """Yield faults for ever, as cards from a pack: each comes as often as it is there."""
    pack = [fault for fault in faults for _ in range(round(fault.share * _CARDS))]
    while pack:
        yield from rng.sample(pack, len(pack))


def _step(rng: random.Random, faults: Iterator[Fault], *, is_host: bool) -> Step:
    fault = NO_FAULT
    if rng.random() < _FAULTY:
        fault = next(faults, NO_FAULT)
    is_long = rng.random() < _LONG
    return Step(
        seated=_drawn(rng, _SEATED_HOST if is_host else _SEATED),
        unseated=_drawn(rng, _UNSEATED_HOST if is_host else _UNSEATED),
        repeats=rng.random() < _REPEATS,
        anonymous=rng.random() < _ANONYMOUS,
        pause_s=rng.uniform(*_LONG_PAUSE_S) if is_long else rng.choice(_PAUSES_S),
        fault=fault,
        hits=rng.choices(tuple(_HITS), tuple(_HITS.values()))[0],
        of_writes=rng.random() < _OF_WRITES,
        seed=rng.getrandbits(32),
    )


def _drawn(rng: random.Random, weights: dict[Kind, int]) -> Kind:
    return rng.choices(list(weights), list(weights.values()))[0]
