"""Runs the real CDK CLI against the emulated account."""

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from config.cdk_cli import end_cdk, start_cdk
from imagecheck.errors import FailedError
from local.emulated_aws.server import ACCOUNT_ID, CREDENTIALS, REGION

PROJECT = Path(__file__).parent.parent
MESSAGE_LINES = 20


class DeployError(FailedError):
    """The CDK CLI failed; the message has the end of its output, the hint names the log."""


class CdkCli:
    """Runs ``cdk`` for one app, in an environment that knows only the emulated account."""

    def __init__(self, *, endpoint_url: str, work_folder: Path, app_folder: Path = PROJECT) -> None:
        """The log, the cloud assembly and the CLI's caches are written to ``work_folder``."""
        self._endpoint_url = endpoint_url
        self._work_folder = work_folder
        self._app_folder = app_folder
        self._log = work_folder / "cdk.log"
        work_folder.mkdir(parents=True, exist_ok=True)
        self._log.unlink(missing_ok=True)

    def bootstrap(self) -> None:
        """Run ``cdk bootstrap``. Raises DeployError."""
        self._run("bootstrap", f"aws://{ACCOUNT_ID}/{REGION}", "--app=")

    def deploy(self, stack: str, context: Mapping[str, str]) -> None:
        """Synthesize the app and deploy one of its stacks, new or changed. Raises DeployError."""
        self._run(
            "deploy",
            stack,
            "--exclusively",
            # moto registers exports only when a stack is made directly, without a change set.
            "--method=direct",
            "--require-approval=never",
            "--progress=events",
            f"--output={self._work_folder / 'cdk.out'}",
            *(f"--context={name}={value}" for name, value in context.items()),
        )

    def _run(self, *arguments: str) -> None:
        with self._log.open("ab") as log:
            start = log.tell()
            process = start_cdk(
                PROJECT,
                arguments,
                folder=self._app_folder,
                environment=emulated_environment(self._endpoint_url, self._work_folder),
                output=log,
            )
            try:
                process.wait()
            finally:
                if process.poll() is None:
                    end_cdk(process)
        if process.returncode != 0:
            with self._log.open("rb") as log:
                log.seek(start)
                output = log.read().decode("utf-8", "replace")
            raise DeployError(
                f"`cdk {' '.join(arguments[:2])}` failed:\n{_shorten(output)}",
                hint=f"the whole output is in {self._log}",
            )


def emulated_environment(endpoint_url: str, work_folder: Path) -> dict[str, str]:
    """Return an environment for programs that must reach only the emulated account.

    It has nothing of the caller's AWS: no profile, no config file, no other endpoint. The home
    folder and temporary files are below ``work_folder``.
    """
    home = work_folder / "home"
    home.mkdir(exist_ok=True, parents=True)
    temporary = work_folder / "tmp"
    temporary.mkdir(exist_ok=True)
    tools = [str(Path(sys.executable).parent), *os.environ.get("PATH", "").split(os.pathsep)]
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
        # The CDK library's validation of its own templates takes half of a synth; the emulated
        # account refuses what it does not support.
        "CDK_VALIDATION": "false",
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
