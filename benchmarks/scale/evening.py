"""An evening: what five friends, their pages and the edge send, until the last leave."""

from __future__ import annotations

import gzip
import heapq
import random
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.scale.page import STALE_S, interval_s, jittered

CACHE_S: Final = 1.0
"""How long the edge keeps a room: ``ROOM_CACHE_S`` of the distribution, which takes seconds to
import."""

_FRONTEND: Final = Path("frontend")
_QR_LIBRARY: Final = Path("node_modules/lean-qr/nano.mjs")


@dataclass(frozen=True, kw_only=True)
class Evening:
    """What is assumed of an evening; nobody has measured it.

    ``join_every_s``: a friend follows the link this long after the one before. ``lobby_s``: the
    lobby is shown this long, counted from the room's creation. ``hidden_s``: then it stays open in
    a background tab. ``edges``: the edge locations among which the players are spread.
    ``origin_s``: the time from the edge to the function and back. ``header_bytes``: what an answer
    of the edge has besides its body.
    """

    players: int = 5
    join_every_s: float = 45
    lobby_s: float = 600
    hidden_s: float = 0
    edges: int = 1
    origin_s: float = 0.05
    typing_errors: float = 0.2
    header_bytes: int = 600


class Requests(NamedTuple):
    """The requests of one evening, on average.

    ``polls`` are those of the lobby to the edge, ``missed`` those that the edge hands on,
    ``unchanged`` those that are answered with 304. ``files`` are the page's, ``bytes_out`` all that
    the edge sends.
    """

    creates: float
    joins: float
    looks: float
    leaves: float
    errors: float
    polls: float
    missed: float
    unchanged: float
    files: float
    bytes_out: float

    @property
    def to_edge(self) -> float:
        """All requests that players send."""
        return self.files + self.to_api - self.missed + self.polls

    @property
    def to_api(self) -> float:
        """Those that reach the API, and so the function."""
        return self.writes + self.looks + self.errors + self.missed

    @property
    def writes(self) -> float:
        """Creates, joins and leaves."""
        return self.creates + self.joins + self.leaves


def requests_of(
    evening: Evening,
    *,
    room_bytes: int,
    cache_s: float = CACHE_S,
    rooms: int = 100,
    seed: int = 17,
) -> Requests:
    """Play evenings, and return their mean.

    Args:
        evening: what is assumed.
        room_bytes: the body of an answer with a full room.
        cache_s: how long the edge keeps a room; 0 for an edge that keeps nothing.
        rooms: how many evenings.
        seed: of the jitter.

    """
    rng = random.Random(seed)
    played = [_lobby(evening, cache_s, rng) for _ in range(rooms)]
    polls, missed, unchanged = (statistics.fmean(counts) for counts in zip(*played, strict=True))
    guests = evening.players - 1
    files, file_bytes = page_files()
    other = 1 + guests * 2 + evening.players + evening.typing_errors
    answers = polls + other
    return Requests(
        creates=1,
        joins=guests,
        looks=guests,
        leaves=evening.players,
        errors=evening.typing_errors,
        polls=polls,
        missed=missed,
        unchanged=unchanged,
        files=evening.players * files,
        bytes_out=evening.players * (file_bytes + files * evening.header_bytes)
        + answers * evening.header_bytes
        + (polls - unchanged + other) * room_bytes,
    )


def page_files() -> tuple[int, int]:
    """Return how many files the page has, and their bytes as the edge sends them, compressed."""
    files = [_FRONTEND / "index.html", _QR_LIBRARY]
    files += [
        path for path in (_FRONTEND / "assets").rglob("*") if path.suffix in {".css", ".js", ".svg"}
    ]
    return len(files), sum(len(gzip.compress(path.read_bytes(), 6)) for path in files)


class _Edge:
    """What an edge location keeps of a room."""

    def __init__(self) -> None:
        self.until = -1.0
        self.version = 0


class _Player(NamedTuple):
    number: int
    joined_at: float


def _lobby(evening: Evening, cache_s: float, rng: random.Random) -> tuple[int, int, int]:
    """Return the polls of a lobby, those that the edge missed, and those answered with 304."""
    players = [
        _Player(number, number * evening.join_every_s * jittered(1, rng.random()))
        for number in range(evening.players)
    ]
    # The room's version at a time: one for each join.
    changes = sorted(player.joined_at for player in players)
    edges = [_Edge() for _ in range(evening.edges)]
    shown = [sum(change <= player.joined_at for change in changes) for player in players]
    changed_at = [player.joined_at for player in players]
    has_etag = [False] * evening.players
    queue = [(player.joined_at, player.number) for player in players]
    heapq.heapify(queue)
    polls = missed = unchanged = 0
    while queue:
        now, number = heapq.heappop(queue)
        if now > evening.lobby_s + evening.hidden_s:
            continue
        edge = edges[number % evening.edges]
        polls += 1
        if now >= edge.until:
            missed += 1
            # Those who ask meanwhile wait for the same answer.
            edge.until = now + evening.origin_s + cache_s if cache_s else now
            edge.version = sum(change <= now for change in changes)
        is_hidden = now > evening.lobby_s
        if edge.version < shown[number]:
            wait = STALE_S
            has_etag[number] = True
        else:
            if has_etag[number] and edge.version == shown[number]:
                unchanged += 1
            has_etag[number] = True
            if edge.version > shown[number]:
                shown[number], changed_at[number] = edge.version, now
            wait = interval_s(now - changed_at[number], is_hidden=is_hidden)
        heapq.heappush(queue, (now + evening.origin_s + jittered(wait, rng.random()), number))
    return polls, missed, unchanged
