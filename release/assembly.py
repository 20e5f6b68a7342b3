"""The stage as it would be deployed with some image: synthesized by the CDK CLI."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from release.errors import CannotDoError
from release.project import Project, Stage
from stacks.image_lock import ImagePin, write_image_lock

_LAST_LINES = 15


@contextmanager
def synthesized(project: Project, stage: Stage, digest: str) -> Iterator[Path]:
    """Synthesize a stage with this image pinned, and give the template of its rooms stack.

    The lock file is not touched. Raises CannotDoError when the CDK CLI fails.
    """
    pin = ImagePin(
        digest=digest,
        architecture=stage.settings.architecture,
        # What the image came from says nothing of how it is run.
        base_digest="sha256:" + "0" * 64,
        source_revision="",
        pinned_at="1970-01-01T00:00:00Z",
    )
    with tempfile.TemporaryDirectory(prefix="synth-") as folder:
        lock = Path(folder, "image-lock.json")
        write_image_lock(lock, {stage.name: pin})
        output = Path(folder, "cdk.out")
        run_cdk(
            project,
            ["synth", "--quiet", f"--output={output}"],
            {"stage": stage.name, "imageLock": str(lock), "packaging": "image"},
        )
        yield output / f"{stage.names.rooms_stack}.template.json"


def run_cdk(
    project: Project,
    arguments: list[str],
    context: Mapping[str, str],
    *,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run the project's own CDK CLI quietly, and return what it said.

    ``environment`` is ``cdk_environment()`` unless it is given. Raises CannotDoError with the end
    of what it said.
    """
    done = subprocess.Popen(  # noqa: S603  (the pinned CLI)
        [*cdk_command(project), *arguments, *(f"--context={k}={v}" for k, v in context.items())],
        cwd=project.root,
        env=environment or cdk_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # Its own group: Ctrl-C is ours to handle, and its children end too.
        start_new_session=True,
    )
    try:
        said, _ = done.communicate()
    except BaseException:
        os.killpg(done.pid, signal.SIGKILL)
        done.wait()
        raise
    if done.returncode:
        lines = [line for line in said.splitlines() if line.strip()][-_LAST_LINES:]
        raise CannotDoError("\n  ".join((f"`cdk {arguments[0]}` failed:", *lines)))
    return said


def cdk_command(project: Project) -> list[str]:
    """Return how the project's CDK CLI is called. Raises CannotDoError when it is not installed."""
    cdk = project.root / "node_modules" / ".bin" / "cdk"
    if not cdk.exists():
        raise CannotDoError(f"{cdk} is missing: run `make setup` (or `npm ci`)")
    return [str(cdk), "--no-color", "--no-notices", "--no-version-reporting"]


def cdk_environment() -> dict[str, str]:
    """Return this process's environment, with this Python in front: ``cdk.json`` says python3."""
    path = [str(Path(sys.executable).parent), *os.environ.get("PATH", "").split(os.pathsep)]
    return {
        **os.environ,
        "PATH": os.pathsep.join(path),
        # What jsii unpacks (15 s) stays with the packages that it comes from.
        "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(Path(sys.prefix) / "jsii"),
        "CDK_DISABLE_CLI_TELEMETRY": "true",
    }
