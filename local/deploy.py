"""Runs the real CDK CLI against the emulated account."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from config.cdk_cli import (
    compile_cache,
    end_cdk,
    node_folder,
    start_cdk,
    template_validation,
)
from config.names import GUARD_REGION
from imagecheck.errors import FailedError
from local.emulated_aws.account import ACCOUNT_ID, CREDENTIALS, REGION

PROJECT = Path(__file__).parent.parent
MESSAGE_LINES = 20
_POLL_SECONDS: Final = 0.05


class DeployError(FailedError):
    """The CDK CLI failed; the message has the end of its output, the hint names the log."""


class CdkRun:
    """A command of the CDK CLI that runs. Its block ends it."""

    def __init__(self, process: subprocess.Popen[bytes], name: str, log: Path) -> None:
        """``name`` is for messages: the command, and what it works on."""
        self._process = process
        self._name = name
        self._log = log

    def is_done(self) -> bool:
        """Return whether it has succeeded, without a wait. Raises DeployError when it failed."""
        if self._process.poll() is None:
            return False
        if self._process.returncode != 0:
            output = self._log.read_text("utf-8", "replace")
            raise DeployError(
                f"`cdk {self._name}` failed:\n{_shorten(output)}",
                hint=f"the whole output is in {self._log}",
            )
        return True


class Deployment:
    """A running ``cdk deploy``, which waits between its synth and its first request."""

    def __init__(self, run: CdkRun, assembly: Path, *, synthesized: Path, may_go_on: Path) -> None:
        """``synthesized`` is there after the synth, and ``may_go_on`` when it may go on."""
        self.assembly = assembly
        self._run = run
        self._synthesized = synthesized
        self._may_go_on = may_go_on

    def is_synthesized(self) -> bool:
        """Return whether the cloud assembly is there."""
        return self._synthesized.exists()

    def go_on(self) -> None:
        """Let it deploy: the account is bootstrapped."""
        self._may_go_on.touch()

    def is_done(self) -> bool:
        """Return whether it has succeeded, without a wait. Raises DeployError when it failed."""
        return self._run.is_done()


class CdkCli:
    """Runs ``cdk`` for one app, in an environment that knows only the emulated account."""

    def __init__(self, *, endpoint_url: str, work_folder: Path, app_folder: Path = PROJECT) -> None:
        """The logs, the cloud assembly and the CLI's caches are written to ``work_folder``."""
        self._endpoint_url = endpoint_url
        self._work_folder = work_folder
        self._app_folder = app_folder
        work_folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def bootstrapping(self) -> Iterator[CdkRun]:
        """Start ``cdk bootstrap`` for both Regions of a stage, its own and that of its guard."""
        targets = [f"aws://{ACCOUNT_ID}/{region}" for region in (REGION, GUARD_REGION)]
        with self._running("bootstrap", *targets, "--app=") as run:
            yield run

    @contextmanager
    def deploying(
        self, stacks: Sequence[str], context: Mapping[str, str]
    ) -> Iterator["Deployment"]:
        """Start to deploy stacks of the app, in the order of their dependencies.

        The synth needs nothing of the account. What follows waits for ``Deployment.go_on``.
        """
        synthesized, may_go_on = (self._work_folder / name for name in ("synthesized", "go-on"))
        for mark in (synthesized, may_go_on):
            mark.unlink(missing_ok=True)
        assembly = self._work_folder / "cdk.out"
        wait = (
            f"touch {shlex.quote(str(synthesized))} &&"
            f" until [ -e {shlex.quote(str(may_go_on))} ]; do sleep {_POLL_SECONDS}; done"
        )
        settings = json.loads((self._app_folder / "cdk.json").read_text("utf-8"))
        app = f"unset NODE_COMPILE_CACHE; {settings['app']} && {wait}"
        with self._running(
            "deploy",
            *stacks,
            f"--app={app}",
            "--exclusively",
            # moto registers exports only when a stack is made directly, without a change set.
            "--method=direct",
            "--require-approval=never",
            "--progress=events",
            f"--output={assembly}",
            *(f"--context={name}={value}" for name, value in context.items()),
        ) as run:
            yield Deployment(run, assembly, synthesized=synthesized, may_go_on=may_go_on)

    @contextmanager
    def _running(self, command: str, *arguments: str) -> Iterator[CdkRun]:
        environment = emulated_environment(self._endpoint_url, self._work_folder) | compile_cache()
        log = self._work_folder / f"cdk-{command}.log"
        with log.open("wb") as output:
            process = start_cdk(
                PROJECT,
                [command, *arguments],
                folder=self._app_folder,
                environment=environment,
                output=output,
            )
        try:
            yield CdkRun(process, f"{command} {arguments[0]}", log)
        finally:
            if process.poll() is None:
                end_cdk(process)


def emulated_environment(endpoint_url: str, work_folder: Path) -> dict[str, str]:
    """Return an environment for programs that must reach only the emulated account.

    It has nothing of the caller's AWS: no profile, no config file, no other endpoint. The home
    folder and temporary files are below ``work_folder``.
    """
    home = work_folder / "home"
    home.mkdir(exist_ok=True, parents=True)
    temporary = work_folder / "tmp"
    temporary.mkdir(exist_ok=True)
    tools = [
        *node_folder(),
        str(Path(sys.executable).parent),
        *os.environ.get("PATH", "").split(os.pathsep),
    ]
    return CREDENTIALS | {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ENDPOINT_URL_S3": endpoint_url,
        "AWS_REGION": REGION,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "CDK_DEFAULT_REGION": REGION,
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CDK_DISABLE_VERSION_CHECK": "true",
        **template_validation(is_gate=False),
        "HOME": str(home),
        # jsii unpacks its packages once (15 s), beside the environment that has them.
        "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(Path(sys.prefix) / "jsii"),
        "LANG": "C.UTF-8",
        "PATH": os.pathsep.join(tools),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": str(temporary),
    }


def _shorten(output: str) -> str:
    """Return the last lines without the CLI's stack trace and the error's fields."""
    noise = re.compile(r"^\s+at |^\s+('\$|Type:|Code:|Error:)|^\s*}$")
    lines = [
        line.rstrip() for line in output.splitlines() if line.strip() and not noise.match(line)
    ]
    return "\n".join(f"  {line}" for line in lines[-MESSAGE_LINES:])
