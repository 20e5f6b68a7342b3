"""Runs a program that builds images: what it says is shown, and kept for when it fails."""

import os
import signal
import subprocess
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from imagecheck.terminal import say

_KEPT_LINES = 200


class BuildToolError(Exception):
    """The program failed; ``lines`` are the last that it said."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def run_tool(
    command: Sequence[str], *, folder: Path, environment: Mapping[str, str] | None = None
) -> None:
    """Run a program in a folder, and say on the standard error stream what it says.

    ``environment`` is added to that of this process; an empty value takes a variable away. Files
    that the program makes can be read by others, whatever the umask here. An interruption ends it
    with all its children.

    Raises:
        BuildToolError: it failed.
        FileNotFoundError: there is no such program.

    """
    variables = {**os.environ, **(environment or {})}
    process = subprocess.Popen(  # noqa: S603  (docker or buildah, with arguments of ours)
        command,
        cwd=folder,
        env={name: value for name, value in variables.items() if value},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        umask=0o022,
        # Its own group: Ctrl-C is ours to handle, and its children end too.
        start_new_session=True,
    )
    assert process.stdout is not None  # noqa: S101  (a pipe, see above)
    lines: deque[str] = deque(maxlen=_KEPT_LINES)
    try:
        with process.stdout as output:
            for line in output:
                if text := line.rstrip():
                    lines.append(text)
                    say(f"  {text}")
        status = process.wait()
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    if status:
        raise BuildToolError(list(lines))
