"""Measures functions in turns, and writes the figures."""

from __future__ import annotations

import random
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from benchmarks.cold_start.catalogue import (
    FLOOR,
    OURS,
    YARDSTICK,
    available,
    own_code,
)
from benchmarks.cold_start.events import events
from benchmarks.cold_start.installation import install
from benchmarks.cold_start.loaded import loaded, size
from benchmarks.cold_start.own_lines import lines_of_code
from benchmarks.cold_start.process import Place, measure
from benchmarks.cold_start.report import Figures, write_report
from benchmarks.cold_start.tls_front import tls_front
from benchmarks.document import ROOT, machine
from benchmarks.figures import keep
from chaos.trial import make_table
from imagecheck.terminal import say
from lambda_runtime.dynamodb_local import dynamodb_local

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.cold_start.catalogue import Peer
    from benchmarks.cold_start.installation import Installation
    from benchmarks.cold_start.process import Sample

ROUNDS: Final = 9
WARM_CALLS: Final = 50
_WARM_UP_CALLS: Final = 400
"""DynamoDB Local is slow at first: its Java is compiled while it runs."""


def run() -> None:
    """Measure, keep the figures, and write them into the page."""
    here = machine()
    installed = install(ROOT / "build/bench/cold_start")
    version, python = _python(installed)
    peers = available(version)
    with place(installed) as shared:
        yardstick = _named(peers, YARDSTICK)
        measure(yardstick, shared, events=events(yardstick.event), warm_calls=_WARM_UP_CALLS)
        samples = in_turns(peers, shared, rounds=ROUNDS, warm_calls=WARM_CALLS)
        probed = [_named(peers, name) for name in (YARDSTICK, OURS, FLOOR)]
        figures = Figures(
            python=python,
            node=_said(str(installed.node), "--version").lstrip("v"),
            machine=here,
            warm_calls=WARM_CALLS,
            authorities=shared.authorities.count,
            samples=samples,
            own_lines={
                peer.name: sum(
                    lines_of_code(path.read_text(encoding="utf-8")) for path in own_code(peer)
                )
                for peer in peers
            },
            loaded={peer.name: loaded(peer, shared, next(events(peer.event))) for peer in probed},
            image=size(installed.rooms),
        )
    keep("cold-start", figures)
    write_report(figures)


@contextmanager
def place(installed: Installation) -> Iterator[Place]:
    """Start an empty table behind TLS, and yield all that environments share."""
    with dynamodb_local() as url, tempfile.TemporaryDirectory(prefix="cold-start-") as folder:
        make_table(url)
        parts = urlsplit(url)
        address = (str(parts.hostname), int(parts.port or 0))
        with tls_front(address, Path(folder)) as (front, authorities):
            yield Place(installed, front, authorities)


def in_turns(
    peers: Sequence[Peer], shared: Place, *, rounds: int, warm_calls: int
) -> dict[str, list[Sample]]:
    """Measure each peer once a round, in another order each time.

    What ran before leaves the machine in another state, so nobody always follows the same one.
    """
    samples: dict[str, list[Sample]] = {peer.name: [] for peer in peers}
    for number in range(rounds):
        say(f"  round {number + 1} of {rounds}")
        for peer in random.Random(number).sample(peers, len(peers)):
            sample = measure(peer, shared, events=events(peer.event), warm_calls=warm_calls)
            samples[peer.name].append(sample)
    return samples


def _named(peers: Sequence[Peer], name: str) -> Peer:
    return next(peer for peer in peers if peer.name == name)


def _python(installed: Installation) -> tuple[tuple[int, int], str]:
    text = _said(str(installed.python), "-c", "import platform; print(platform.python_version())")
    major, minor, *_ = text.split(".")
    return (int(major), int(minor)), text


def _said(*command: str) -> str:
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
