"""The trial: stories under faults, in environments of the real function, until all are judged."""

from __future__ import annotations

import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import boto3

from chaos.environment import TABLE
from chaos.figures import Figures
from chaos.history import ENCODER
from chaos.judge import Verdict, judge
from chaos.people import play
from chaos.plan import Story, plan
from chaos.world import StoppedError, World
from lambda_runtime.dynamodb_local import dynamodb_local
from lambda_runtime.variables import CREDENTIALS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import BinaryIO

    from chaos.faults import Fault
    from chaos.history import Operation

ENVIRONMENTS: Final = 24
_AT_ONCE: Final = 16
"""Stories. Somebody who waits for a slow table costs no time of the processor."""
_OF_TWO_VERSIONS: Final = 0.06
"""How much of a trial has the earlier version beside this one."""
_PROGRESS_S: Final = 1


def run_trial(
    *,
    seed: int,
    operations: int,
    faults: Sequence[Fault],
    history: BinaryIO,
    progress: Callable[[Figures], None],
) -> Figures:
    """Run a trial of about so many operations, and return its figures.

    ``history`` gets a line for each operation. ``progress`` is told every second.
    """
    mixed = round(operations * _OF_TWO_VERSIONS)
    figures = Figures(seed=seed, faults=[fault.name for fault in faults])
    half = ENVIRONMENTS // 2
    parts = (
        (plan(seed, operations - mixed, faults), 0, ENVIRONMENTS),
        # What the earlier version did not know, it cannot do under faults. But it has to be able
        # to read what this one writes, and the reverse.
        (plan(seed, mixed, (), is_of_two_versions=True), half, half),
    )
    figures.planned = sum(story.operations for stories, _, _ in parts for story in stories)
    started = time.monotonic()
    with _table() as address, tempfile.TemporaryDirectory(prefix="chaos-") as scratch:
        for number, (stories, earlier, current) in enumerate(parts):
            folder = Path(scratch) / str(number)
            world = World(table=address, folder=folder, earlier=earlier, current=current)
            with world:
                _Part(world, stories, figures, history).run(progress)
            figures.log_lines += world.log_lines
            figures.leaks += world.leaks
    figures.seconds = time.monotonic() - started
    return figures


@contextmanager
def _table() -> Iterator[tuple[str, int]]:
    """Start a DynamoDB with an empty rooms table, and yield host and port."""
    with dynamodb_local() as url:
        make_table(url)
        parts = urlsplit(url)
        yield str(parts.hostname), int(parts.port or 0)


def make_table(endpoint_url: str) -> None:
    """Make the rooms table, unless it is there."""
    client = boto3.client(
        "dynamodb",
        endpoint_url=endpoint_url,
        region_name="ap-northeast-1",
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )
    with suppress(client.exceptions.ResourceInUseException):
        client.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "roomId", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "roomId", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )


class _Part:
    """Stories that share a world, several at a time."""

    def __init__(
        self, world: World, stories: Sequence[Story], figures: Figures, history: BinaryIO
    ) -> None:
        self._world = world
        self._figures = figures
        self._history = history
        self._lock = threading.Lock()
        self._errors: list[Exception] = []
        self._waiting: SimpleQueue[Story] = SimpleQueue()
        for story in stories:
            self._waiting.put(story)

    def run(self, progress: Callable[[Figures], None]) -> None:
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(_AT_ONCE)]
        try:
            for thread in threads:
                thread.start()
            told = time.monotonic()
            while any(thread.is_alive() for thread in threads):
                time.sleep(0.1)
                if time.monotonic() - told > _PROGRESS_S:
                    told = time.monotonic()
                    with self._lock:
                        progress(self._figures)
        finally:
            # Whoever waits for a process is woken by its end.
            self._world.stopped.set()
        if self._errors:
            raise self._errors[0]

    def _work(self) -> None:
        while not self._world.stopped.is_set():
            try:
                story = self._waiting.get_nowait()
            except Empty:
                return
            try:
                operations = play(story, self._world)
                verdict = judge(operations)
            except StoppedError:
                return
            except Exception as error:  # noqa: BLE001  (raised above)
                self._errors.append(error)
                self._world.stopped.set()
                return
            with self._lock:
                self._keep(story, operations, verdict)

    def _keep(self, story: Story, operations: Sequence[Operation], verdict: Verdict) -> None:
        self._figures.add(operations, verdict, is_of_two_versions=story.is_of_two_versions)
        for operation in sorted(operations, key=lambda one: one.called):
            self._history.write(ENCODER.encode(operation) + b"\n")
