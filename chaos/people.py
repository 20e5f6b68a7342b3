"""People in a room: they create, look, join and leave, repeat what was not answered, or go on."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import msgspec

from chaos.faults import NO_FAULT
from chaos.model import Kind
from chaos.world import Reply, Request, StoppedError, World

if TYPE_CHECKING:
    from chaos.history import Operation
    from chaos.plan import Person, Step, Story

_NOT_MODIFIED: Final = 304
_LOOKS: Final = 50
"""How often the last look is repeated, when the table does not answer: without a fault, rarely."""


def play(story: Story, world: World) -> list[Operation]:
    """Let everybody do what they want, at the same time, and look at the rooms at the end.

    Raises StoppedError.
    """
    tabs = [
        _Tab(story, person, number, world)
        for person in story.people
        for number in range(len(person.tabs))
    ]
    threads = [threading.Thread(target=tab.run, daemon=True) for tab in tabs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if world.stopped.is_set():
        raise StoppedError
    for tab in tabs:
        if tab.error is not None:
            raise tab.error
    replies = [reply for tab in tabs for reply in tab.replies]
    for reply in replies:
        reply.injection.wait_until_quiet()
    rooms = sorted({reply.operation.room for reply in replies if reply.operation.room})
    replies += [_last_look(story, room, world) for room in rooms]
    return [
        msgspec.structs.replace(reply.operation, effects=tuple(reply.injection.effects))
        for reply in replies
    ]


def _last_look(story: Story, room: str, world: World) -> Reply:
    request = Request(story=story.number, kind=Kind.GET, name="", token=None, room=room)
    for number in range(_LOOKS):
        reply = world.ask(request, fault=NO_FAULT, hits=None, seed=number)
        if reply.operation.is_known:
            break
    return reply


@dataclass
class _Tab:
    """One tab of somebody's browser."""

    story: Story
    person: Person
    number: int
    world: World
    replies: list[Reply] = field(default_factory=list)
    error: Exception | None = None

    def __post_init__(self) -> None:
        self._name = self.person.name
        self._token = self.person.token
        self._room = self.story.room
        self._is_seated = False
        # By ETag: what was seen.
        self._seen: dict[str, Operation] = {}
        self._etag = ""

    def run(self) -> None:
        try:
            again: Request | None = None
            for place, step in enumerate(self.person.tabs[self.number]):
                time.sleep(step.pause_s)
                request = again or self._request(step)
                if request.token is None:
                    # Nobody can be told from somebody else who brings no token, but by the name.
                    request = replace(request, name=f"{self.person.name}-{self.number}{place}")
                reply = self._ask(request, step)
                self._learn(request, reply)
                is_lost = not reply.operation.is_known
                again = request if is_lost and step.repeats else None
        except StoppedError:
            pass
        except Exception as error:  # noqa: BLE001  (the story raises it)
            self.error = error

    def _request(self, step: Step) -> Request:
        kind = step.seated if self._is_seated else step.unseated
        is_anonymous = step.anonymous and not self._is_seated and kind in {Kind.CREATE, Kind.JOIN}
        if kind is Kind.CREATE:
            # Somebody who sat without a token of their own opens a room with theirs again.
            token = None if is_anonymous else self.person.token
            codes = () if is_anonymous else self.story.codes[self.person.token]
            return self._of(kind, self.person.name, token, codes)
        if kind is Kind.GET:
            seen = random.Random(step.seed).random() < 0.5
            etag = self._etag if seen else ""
            return replace(self._of(kind, self._name, self._token), etag=etag)
        return self._of(kind, self._name, None if is_anonymous else self._token)

    def _of(self, kind: Kind, name: str, token: str | None, codes: tuple[str, ...] = ()) -> Request:
        return Request(
            story=self.story.number,
            kind=kind,
            name=name,
            token=token,
            room=self._room,
            codes=codes,
        )

    def _ask(self, request: Request, step: Step) -> Reply:
        reply = self.world.ask(
            request,
            fault=step.fault,
            hits=step.hits,
            seed=step.seed,
            of_writes=step.of_writes and request.kind is not Kind.GET,
        )
        if reply.operation.status == _NOT_MODIFIED:
            seen = self._seen[request.etag]
            facts: dict[str, Any] = {
                name: getattr(seen, name)
                for name in ("seats", "player_ids", "version", "created_at", "expires_at")
            }
            operation = msgspec.structs.replace(reply.operation, **facts)
            reply = replace(reply, operation=operation)
        self.replies.append(reply)
        return reply

    def _learn(self, request: Request, reply: Reply) -> None:
        operation = reply.operation
        if reply.etag:
            self._etag = reply.etag
            self._seen[reply.etag] = operation
        if not operation.is_known:
            return
        if operation.kind in {Kind.CREATE, Kind.JOIN}:
            self._is_seated = operation.is_done
            if operation.is_done:
                assert reply.token is not None
                self._name, self._token, self._room = request.name, reply.token, operation.room
                self._etag = ""
        elif operation.kind is Kind.LEAVE:
            self._is_seated = False
            self._name, self._token = self.person.name, self.person.token
            self._room = self.story.room
            self._etag = ""
