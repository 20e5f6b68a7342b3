"""The CDK CLI deploys a stage, and a person sees what it says."""

import contextlib
import os
import pty
import signal
import subprocess
import sys
import termios
from collections import deque
from collections.abc import Mapping, Sequence

from release.assembly import cdk_command, cdk_environment
from release.deploy.cloud_assembly import CloudAssembly
from release.deploy.interruption import held_back, uninterrupted
from release.deploy.live import Packaging
from release.errors import RefusedError
from release.project import Project, Stage

_LAST_LINES = 15
_GRACE_SECONDS = 2
# What the CLI says when its question is answered with no.
_DECLINED = "Deployment cancelled"


class CdkFailedError(Exception):
    """The CDK CLI failed. The message is the end of what it said."""


def cdk_deploy(
    project: Project,
    stage: Stage,
    *,
    packaging: Packaging,
    emergency: bool,
    assembly: CloudAssembly | None,
    ask: bool,
) -> None:
    """Deploy the stacks of a stage; what the CLI says goes to standard error as it comes.

    With an ``assembly`` nothing is synthesized: how it packages is how it was made. With ``ask``
    the CLI asks on the terminal before it widens permissions. When this is interrupted the CLI and
    its children are ended; what CloudFormation has begun goes on.

    Raises:
        CdkFailedError: it failed.
        RefusedError: its question was answered with no.
        CannotDoError: it is not installed.

    """
    context = {
        "stage": stage.name,
        "packaging": packaging,
        **({"emergency": "true"} if emergency else {}),
    }
    stacks = [stage.names.registry_stack, stage.names.rooms_stack]
    _deploy(project, stacks, assembly, context, ask)


def cdk_deploy_page(
    project: Project, stage: Stage, *, assembly: CloudAssembly | None, ask: bool
) -> None:
    """Deploy the web stack of a stage alone; otherwise as ``cdk_deploy``, with the same errors.

    Without an ``assembly`` the app is told to run a zip, whatever the stage runs: the rooms stack
    is left as it is, and nothing that is wrong with a pin stands in the page's way.
    """
    context = {"stage": stage.name, "packaging": "zip"}
    _deploy(project, [stage.names.web_stack, "--exclusively"], assembly, context, ask)


def _deploy(
    project: Project,
    stacks: Sequence[str],
    assembly: CloudAssembly | None,
    context: Mapping[str, str],
    ask: bool,
) -> None:
    approval = "broadening" if ask else "never"
    what = (
        [f"--app={assembly.folder}"]
        if assembly
        else [f"--context={key}={value}" for key, value in context.items()]
    )
    options = [f"--require-approval={approval}", "--progress=events", *what]
    status, said = _run(project, [*cdk_command(project), "deploy", *stacks, *options], ask)
    if status and any(_DECLINED in line for line in said):
        raise RefusedError("the change was declined: nothing was deployed")
    if status:
        raise CdkFailedError("\n  ".join(said) or f"it ended with status {status}")


def _run(project: Project, command: list[str], ask: bool) -> tuple[int, list[str]]:
    """Return the exit status and the last lines."""
    # The CLI asks only where its output is a terminal.
    source, sink = pty.openpty() if ask else os.pipe()
    process = None
    try:
        try:
            if ask:
                termios.tcsetwinsize(sink, termios.tcgetwinsize(sys.stderr.fileno()))
            # A process that was started and is not known could not be ended.
            with held_back():
                process = _started(project, command, sink, ask=ask)
        finally:
            os.close(sink)
        said = _shown(source)
        return process.wait(), said
    except BaseException:
        if process:
            with uninterrupted():
                _end(process)
        raise
    finally:
        os.close(source)


def _started(
    project: Project, command: list[str], sink: int, *, ask: bool
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  (the pinned CLI)
        command,
        cwd=project.root,
        env=cdk_environment(),
        stdin=None if ask else subprocess.DEVNULL,
        stdout=sink,
        stderr=sink,
        # Its own group: Ctrl-C is ours to handle, and its children end too.
        start_new_session=True,
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the CLI and its children. It is let to give back the terminal, if it was asking."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


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
