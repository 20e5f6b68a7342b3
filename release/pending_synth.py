"""A synth that begins before the image is known: most of its time is starting the CDK library."""

import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Final

import msgspec

from config.cdk_cli import cdk_failure, end_cdk, start_cdk
from config.image_lock import ImagePin
from config.project import Project
from release.assembly_folders import drop_unused_assets, lend_assets
from release.assembly_key import assembly_key, require_unchanged

_LOOK_SECONDS: Final = 0.02


class PendingSynth:
    """The CDK CLI and the app, which wait for the lock file: it is a pipe that ``finish`` fills.

    ``context`` is that of the synth, without the lock file. It is to be closed.
    """

    def __init__(
        self, project: Project, context: Mapping[str, str], environment: Mapping[str, str]
    ) -> None:
        self._project = project
        self._context = context
        self._key = assembly_key(project, context)
        self._temporary = tempfile.TemporaryDirectory(prefix="synth-")
        folder = Path(self._temporary.name)
        self._lock = folder / "image-lock.json"
        self._output = folder / "cdk.out"
        os.mkfifo(self._lock)
        lend_assets(project, self._output)
        self._said: IO[bytes] = (folder / "said").open("w+b")
        self._process = start_cdk(
            project.root,
            ["synth", "--quiet", f"--output={self._output}", f"--context=imageLock={self._lock}"]
            + [f"--context={key}={value}" for key, value in context.items()],
            environment=environment,
            output=self._said,
        )

    def is_for(self, context: Mapping[str, str]) -> bool:
        """Whether it makes what this context would make, of files that are still the same."""
        return context == self._context and assembly_key(self._project, context) == self._key

    def finish(self, pins: Mapping[str, ImagePin]) -> Path:
        """Let it go on with these pins, and return the folder of the assembly, until ``close``.

        Raises FailedError with the last lines of the CLI's output when it fails, and when the
        project has changed since it was begun.
        """
        pipe = self._pipe()
        if pipe is not None:
            with os.fdopen(pipe, "wb") as lock:
                lock.write(msgspec.json.encode(pins))
        if self._process.wait():
            self._said.seek(0)
            raise cdk_failure("synth", self._said.read().decode("utf-8", "replace"))
        require_unchanged(self._project, self._context, self._key)
        drop_unused_assets(self._output)
        return self._output

    def close(self) -> None:
        """End it, and remove what it made."""
        if self._process.poll() is None:
            end_cdk(self._process)
        self._said.close()
        self._temporary.cleanup()

    def _pipe(self) -> int | None:
        """Open the pipe once the app reads it; None: the process has ended before."""
        while self._process.poll() is None:
            try:
                return os.open(self._lock, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:  # nobody reads yet
                time.sleep(_LOOK_SECONDS)
        return None
