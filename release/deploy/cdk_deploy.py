"""Deploys a stage's stacks with the CDK CLI, whose output is shown as it comes."""

import os
import sys
from collections import deque
from collections.abc import Sequence
from typing import Final

from config.cdk_cli import cdk_environment, compile_cache, end_cdk, start_cdk
from config.project import Project, Stage
from imagecheck.errors import FailedError
from imagecheck.terminal import pass_on
from release.cloud_assembly import CloudAssembly
from release.deploy.existing import IMPORT
from release.deploy.signals import deferred_signals, ignored_signals
from release.errors import RefusedError

_LAST_LINES: Final = 15
# What the CLI says when its question is answered with no.
_DECLINED: Final = "Deployment cancelled"


class CdkFailedError(Exception):
    """The CDK CLI failed. The message is the end of its output."""


def cdk_deploy(
    project: Project,
    stage: Stage,
    assembly: CloudAssembly,
    *,
    import_existing: bool = False,
    ask: bool,
) -> None:
    """Deploy registry and rooms stack of a stage; the CLI's output goes to standard error.

    ``import_existing``: what is there by its name, and in no stack, becomes the stacks'. With
    ``ask`` the CLI asks on the terminal before it widens permissions. When this is interrupted the
    CLI and its children are ended; CloudFormation goes on with what it has begun.

    Raises:
        CdkFailedError: it failed.
        RefusedError: its question was answered with no.
        FailedError: it is not installed.

    """
    stacks = [stage.names.registry_stack, stage.names.rooms_stack]
    if import_existing:
        stacks.append(IMPORT)
    _deploy(project, stage, stacks, assembly, ask)


def cdk_bootstrap(project: Project, stage: Stage, environments: Sequence[str]) -> None:
    """Prepare a stage's environments for the CDK CLI, such as ``aws://111122223333/eu-west-1``.

    https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html

    Raises:
        FailedError: it failed, or the CLI is not installed.

    """
    # It needs no stack, so the app is not run.
    status, said = _run(project, stage, ["bootstrap", *environments, "--app="], ask=False)
    if status:
        raise FailedError("`cdk bootstrap` failed:\n  " + "\n  ".join(said))


def cdk_deploy_registry(project: Project, stage: Stage, assembly: CloudAssembly) -> None:
    """Deploy the registry stack of a stage alone, without a question; as ``cdk_deploy``."""
    _deploy(project, stage, [stage.names.registry_stack, "--exclusively"], assembly, ask=False)


def cdk_deploy_page(project: Project, stage: Stage, assembly: CloudAssembly, *, ask: bool) -> None:
    """Deploy the web stack of a stage, and its guard stack before it, where it has one.

    Otherwise as ``cdk_deploy``, with the same errors.
    """
    guard = [stage.names.guard_stack] if stage.settings.has_guard else []
    _deploy(project, stage, [*guard, stage.names.web_stack, "--exclusively"], assembly, ask)


def _deploy(
    project: Project, stage: Stage, stacks: Sequence[str], assembly: CloudAssembly, ask: bool
) -> None:
    approval = "broadening" if ask else "never"
    options = [f"--require-approval={approval}", "--progress=events", f"--app={assembly.folder}"]
    status, said = _run(project, stage, ["deploy", *stacks, *options], ask)
    if status and any(_DECLINED in line for line in said):
        raise RefusedError("the change was declined: nothing was deployed")
    if status:
        raise CdkFailedError("\n  ".join(said) or f"it ended with status {status}")


def _run(project: Project, stage: Stage, arguments: list[str], ask: bool) -> tuple[int, list[str]]:
    """Return the exit status and the last lines."""
    # The CLI asks only where its output is a terminal.
    source, sink = _terminal() if ask else os.pipe()
    process = None
    try:
        try:
            # A process that was started and is not known could not be ended.
            with deferred_signals():
                process = start_cdk(
                    project.root,
                    arguments,
                    environment=cdk_environment(region=stage.region) | compile_cache(),
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


def _terminal() -> tuple[int, int]:
    """Return the two ends of a terminal of the size of the person's."""
    # Windows has neither, and nothing else here needs them.
    import pty  # noqa: PLC0415
    import termios  # noqa: PLC0415

    source, sink = pty.openpty()
    termios.tcsetwinsize(sink, termios.tcgetwinsize(sys.stderr.fileno()))
    return source, sink


def _shown(source: int) -> list[str]:
    """Show what comes, to its end, and return the last lines."""
    last: deque[str] = deque(maxlen=_LAST_LINES)
    rest = b""
    while piece := _piece(source):
        pass_on(piece)
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
