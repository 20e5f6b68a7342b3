"""Judges a story: every answer must be explained, and nothing may happen after its answer."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final

import msgspec

from chaos.checker import Call, Failure, needed
from chaos.model import TAKEN, Answer, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from chaos.history import Effect, Operation

_LATE: Final = {
    Kind.CREATE: "a create opens a room after its answer",
    Kind.JOIN: "a join takes a seat after its answer",
    Kind.LEAVE: "a leave takes a seat away after its answer",
}


class Violation(msgspec.Struct, frozen=True):
    """What the contract does not allow. ``lines`` are the history that shows it."""

    what: str
    room: str
    lines: tuple[str, ...]


class Verdict(msgspec.Struct, frozen=True):
    """What was found in one story. ``allowed`` counts rooms, or operations, by reason."""

    violations: tuple[Violation, ...]
    allowed: Counter[str]
    rooms: int


LATE_AFTER_503: Final = (
    "An operation whose answer was 503, or that had none, takes effect after that: within the time"
    " for which the network held its request."
)
NO_OWNER: Final = (
    "A seat is left of somebody who brought no token: every answer was lost, and so was the request"
    " that gives the seat back, or it came before the late one that takes it."
)


REPEATED_BY_NETWORK: Final = (
    "The network repeats by itself what was refused, and then it succeeds, such as a join of a full"
    " room: the function has sent it once, and was told no. TLS excludes it."
)
_REPEATING: Final = frozenset({"twice", "twice-late"})

EXPIRY_OF_EARLIER: Final = (
    "A join of the earlier version moves the end of a room back by a moment: that version sets it"
    " by the time at which it was asked, whatever it finds."
)


def judge(operations: Sequence[Operation]) -> Verdict:
    """Judge all operations of a story, with what the table did."""
    violations = list(_wrong_by_themselves(operations))
    violations += _late(operations)
    allowed: Counter[str] = Counter()
    allowed[LATE_AFTER_503] = sum(map(_is_late_and_unknown, operations))
    allowed[REPEATED_BY_NETWORK] = sum(map(_is_refused_and_repeated, operations))
    rooms = sorted({room for one in operations for room in _rooms(one)})
    for room in rooms:
        calls = list(_calls(operations, room))
        found = needed([call for call, _ in calls])
        if isinstance(found, Failure):
            violations.append(_unexplained(room, calls, found))
        else:
            allowed.update(allowance.value for allowance in found)
        of_room = [one for one in operations if one.room == room]
        violations += _wrong_versions(of_room, room)
        for before, after in _moves_back(of_room):
            if _may_be_of_earlier(after, of_room):
                allowed[EXPIRY_OF_EARLIER] += 1
            else:
                lines = (line(before), line(after))
                violations.append(Violation("expiresAt moves back", room, lines))
    for one in _without_owner(operations):
        if one.status == 0 or one.met == one.requests or one.changes[-1].began > one.answered:
            allowed[NO_OWNER] += 1
        else:
            violations.append(Violation("a seat has no owner", one.room, (line(one),)))
    return Verdict(tuple(violations), +allowed, len(rooms))


def _rooms(operation: Operation) -> Iterable[str]:
    yield from filter(None, [operation.room])
    yield from (effect.room for effect in operation.changes)
    yield from _passed_over(operation)


def _is_late_and_unknown(operation: Operation) -> bool:
    return not operation.is_known and any(
        effect.began > operation.answered for effect in operation.changes
    )


def _is_refused_and_repeated(operation: Operation) -> bool:
    return (
        operation.is_known
        and not operation.is_done
        and operation.fault in _REPEATING
        and operation.changes != []
    )


def _calls(operations: Sequence[Operation], room: str) -> Iterator[tuple[Call, Operation]]:
    for one in operations:
        answer: Answer | None = None
        if one.is_known:
            if one.kind is Kind.CREATE and one.room != room:
                if room not in _passed_over(one):
                    continue
                answer = TAKEN
            elif one.room != room:
                continue
            else:
                answer = Answer("OK" if one.is_done else one.code, one.seats)
        changes = [effect for effect in one.changes if effect.room == room]
        if answer is None and not changes:
            continue
        call = Call(
            kind=one.kind,
            person=one.person,
            called=one.called,
            answered=one.answered,
            answer=answer,
            until=one.answered if answer else changes[-1].ended,
            is_repeated=one.writes > 1,
        )
        yield call, one
        if _is_refused_and_repeated(one):
            again = {"answer": None, "until": changes[-1].ended}
            yield msgspec.structs.replace(call, **again), one
        if answer is None and one.is_anonymous and len(changes) > 1:
            # The function gives the seat back that nobody knows of.
            yield msgspec.structs.replace(call, kind=Kind.LEAVE), one


def _passed_over(create: Operation) -> tuple[str, ...]:
    """Return the codes that a create has found taken."""
    if create.room in create.codes:
        return create.codes[: create.codes.index(create.room)]
    return ()


def _wrong_by_themselves(operations: Sequence[Operation]) -> Iterator[Violation]:
    for one in operations:
        if one.problem:
            yield Violation(one.problem, one.room, (line(one),))


def _late(operations: Sequence[Operation]) -> Iterator[Violation]:
    for one in operations:
        if not one.is_known or _is_refused_and_repeated(one):
            continue
        for effect in one.changes:
            if effect.began <= one.answered:
                continue
            shown = [other for other in operations if _tells(other, one, effect)]
            shown.sort(key=lambda other: other.called)
            lines = tuple(map(line, shown))
            what = f"{_LATE[one.kind]} ({one.code})"
            yield Violation(what, effect.room, lines)


def _tells(other: Operation, late: Operation, effect: Effect) -> bool:
    """Whether an operation belongs to the story of a late one: the same person's, or a look."""
    return (
        late.called <= other.called <= effect.ended
        and other.person == late.person
        and effect.room in _rooms(other)
    )


def _unexplained(room: str, calls: Sequence[tuple[Call, Operation]], failure: Failure) -> Violation:
    at, last = calls[failure.call]
    shown = [
        one
        for call, one in calls
        if call.called <= at.answered
        and max(call.until, call.answered, *(effect.ended for effect in one.changes))
        >= failure.quiet
    ]
    lines = [f"{failure.quiet:9.3f}           in the room: {' '.join(failure.seats) or 'nobody'}"]
    lines += dict.fromkeys(line(one) for one in sorted(shown, key=lambda one: one.called))
    return Violation(
        f"no order explains an answer: {last.kind} {last.code or 'without answer'}",
        room,
        tuple(lines),
    )


def _wrong_versions(operations: Sequence[Operation], room: str) -> Iterator[Violation]:
    """Compare what the answers say of one version of a room: it is one room."""
    seen: dict[tuple[int, int], Operation] = {}
    for one in operations:
        if not one.seats:
            continue
        if len(set(one.player_ids)) != len(one.seats):
            yield Violation("a player has two seats", room, (line(one),))
        other = seen.setdefault((one.created_at, one.version), one)
        if (other.seats, other.expires_at) != (one.seats, one.expires_at):
            yield Violation("one version has two contents", room, (line(other), line(one)))


def _moves_back(operations: Sequence[Operation]) -> Iterator[tuple[Operation, Operation]]:
    """Yield what shows a version of a room, and what shows that a later one ends earlier."""
    seen: dict[tuple[int, int], Operation] = {}
    for one in operations:
        if one.seats:
            seen.setdefault((one.created_at, one.version), one)
    by_room: dict[int, list[Operation]] = defaultdict(list)
    for (created_at, _), one in sorted(seen.items()):
        by_room[created_at].append(one)
    for versions in by_room.values():
        for before, after in itertools.pairwise(versions):
            if after.expires_at < before.expires_at:
                yield before, after


def _may_be_of_earlier(after: Operation, operations: Sequence[Operation]) -> bool:
    return any(
        one.is_earlier and one.kind is Kind.JOIN and one.called < after.answered
        for one in operations
    )


def _without_owner(operations: Sequence[Operation]) -> Iterator[Operation]:
    """Yield the operations that took a seat whose token nobody has, if it is there at the end."""
    left = {name for one in operations if not one.person for name in one.seats}
    for one in operations:
        if one.is_anonymous and not one.is_known and one.person in left:
            yield one


def line(one: Operation) -> str:
    """Return an operation in one line: from when to when, who, what, and the answer."""
    known = f"{one.status or 'ended'} {one.code}".strip()
    seats = f" [{' '.join(one.seats)}]" if one.is_done else ""
    late = [effect for effect in one.changes if effect.began > one.answered]
    effects = "".join(f"; {effect.action} at {effect.began:.3f}" for effect in late)
    fault = "" if one.fault == "none" else f"  ({one.fault}{effects})"
    earlier = "  (earlier version)" if one.is_earlier else ""
    return (
        f"{one.called:9.3f} {one.answered:9.3f} {one.person or 'the last look':16}"
        f" {one.kind:6} {known}{seats}{fault}{earlier}"
    )
