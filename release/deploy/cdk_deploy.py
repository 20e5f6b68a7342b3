"""Deploys a stage's stacks with the CDK CLI, whose output is shown as it comes."""

import contextlib
import os
import pty
import sys
import termios
from collections import deque
from collections.abc import Sequence
from typing import Final

from config.cdk_cli import cdk_environment, end_cdk, start_cdk
from config.project import Project, Stage
from release.cloud_assembly import CloudAssembly
from release.deploy.signals import deferred_signals, ignored_signals
from release.errors import RefusedError

_LAST_LINES: Final = 15
# What the CLI says when its question is answered with no.
_DECLINED: Final = "Deployment cancelled"


class CdkFailedError(Exception):
    """The CDK CLI failed. The message is the end of its output."""


def cdk_deploy(project: Project, stage: Stage, assembly: CloudAssembly, *, ask: bool) -> None:
    """Deploy registry and rooms stack of a stage; the CLI's output goes to standard error.

    With ``ask`` the CLI asks on the terminal before it widens permissions. When this is interrupted
    the CLI and its children are ended; CloudFormation goes on with what it has begun.

    Raises:
        CdkFailedError: it failed.
        RefusedError: its question was answered with no.
        FailedError: it is not installed.

    """
    _deploy(project, [stage.names.registry_stack, stage.names.rooms_stack], assembly, ask)


def cdk_deploy_page(project: Project, stage: Stage, assembly: CloudAssembly, *, ask: bool) -> None:
    """Deploy the web stack of a stage alone; otherwise as ``cdk_deploy``, with the same errors."""
    _deploy(project, [stage.names.web_stack, "--exclusively"], assembly, ask)


def _deploy(project: Project, stacks: Sequence[str], assembly: CloudAssembly, ask: bool) -> None:
    approval = "broadening" if ask else "never"
    options = [f"--require-approval={approval}", "--progress=events", f"--app={assembly.folder}"]
    status, said = _run(project, ["deploy", *stacks, *options], ask)
    if status and any(_DECLINED in line for line in said):
        raise RefusedError("the change was declined: nothing was deployed")
    if status:
        raise CdkFailedError("\n  ".join(said) or f"it ended with status {status}")


def _run(project: Project, arguments: list[str], ask: bool) -> tuple[int, list[str]]:
    """Return the exit status and the last lines."""
    # The CLI asks only where its output is a terminal.
    source, sink = pty.openpty() if ask else os.pipe()
    process = None
    try:
        try:
            if ask:
                termios.tcsetwinsize(sink, termios.tcgetwinsize(sys.stderr.fileno()))
            # A process that was started and is not known could not be ended.
            with deferred_signals():
                process = start_cdk(
                    project.root,
                    arguments,
                    environment=cdk_environment(),
                    output=sink,
                    terminal=ask,
                )
        finally:
            os.close(sink)
        said = _shown(source)
        return process.wait(), said
    except BaseException:
        if process:
            with ignored_signals():
                end_cdk(process)
        raise
    finally:
        os.close(source)


def _shown(source: int) -> list[str]:
    """Show what comes, to its end, and return the last lines."""
    last: deque[str] = deque(maxlen=_LAST_LINES)
    rest = b""
    while piece := _piece(source):
        # As it comes: a question has no line end. Who closed the terminal does not read on.
        with contextlib.suppress(OSError):
            sys.stderr.buffer.write(piece)
            sys.stderr.flush()
        *lines, rest = (rest + piece).split(b"\n")
        last.extend(line.decode("utf-8", "replace").rstrip() for line in lines if line.strip())
    if rest.strip():
        last.append(rest.decode("utf-8", "replace").rstrip())
    return list(last)


def _piece(source: int) -> bytes:
    try:
        return os.read(source, 65536)
    except OSError:  # how Linux ends a terminal that nobody writes to any more
        return b""
