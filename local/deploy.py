"""The real CDK CLI against the emulated account."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from local.emulated_aws.server import ACCOUNT_ID, CREDENTIALS, REGION

PROJECT = Path(__file__).parent.parent
MESSAGE_LINES = 20


class DeployError(Exception):
    """The CDK CLI failed; the message carries what it said and where the whole of it stands."""


class CdkCli:
    """Runs ``cdk`` for one app, with an environment in which only the emulated account exists."""

    def __init__(self, *, endpoint_url: str, work_folder: Path, app_folder: Path = PROJECT) -> None:
        """Keep log, cloud assembly and the CLI's caches in ``work_folder``."""
        self._endpoint_url = endpoint_url
        self._work_folder = work_folder
        self._app_folder = app_folder
        self._log = work_folder / "cdk.log"
        work_folder.mkdir(parents=True, exist_ok=True)
        self._log.unlink(missing_ok=True)

    def bootstrap(self) -> None:
        """Prepare account and region. Raises DeployError."""
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
        cdk = PROJECT / "node_modules" / ".bin" / "cdk"
        if not cdk.exists():
            raise DeployError(f"{cdk} is missing: run `make setup`")
        command = [
            str(cdk),
            *arguments,
            "--no-color",
            "--no-notices",
            "--no-version-reporting",
        ]
        with self._log.open("ab") as log:
            start = log.tell()
            process = subprocess.Popen(  # noqa: S603  (the pinned CLI)
                command,
                cwd=self._app_folder,
                env=emulated_environment(self._endpoint_url, self._work_folder),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Its own group: Ctrl-C in the terminal is ours to handle, and its children end too.
                start_new_session=True,
            )
            try:
                process.wait()
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
        if process.returncode != 0:
            with self._log.open("rb") as log:
                log.seek(start)
                said = log.read().decode("utf-8", "replace")
            raise DeployError(
                f"`cdk {' '.join(arguments[:2])}` failed:\n{_what_matters(said)}\n"
                f"The whole output is in {self._log}"
            )


def emulated_environment(endpoint_url: str, work_folder: Path) -> dict[str, str]:
    """Return the variables for programs to which only the emulated account exists.

    Nothing of the caller's AWS: no profile, no config file, no other endpoint. What they keep at
    home and in temporary files is below ``work_folder``.
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
        # The CDK library's look at its own templates takes half of a synth; the emulated account
        # says itself what it does not take.
        "CDK_VALIDATION": "false",
        "HOME": str(home),
        # What jsii unpacks (15 s) stays with the packages that it comes from.
        "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(Path(sys.prefix) / "jsii"),
        "LANG": "C.UTF-8",
        "PATH": os.pathsep.join(tools),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": str(temporary),
    }


def _what_matters(said: str) -> str:
    """Leave out what stands around the cause: the CLI's stack trace and the error's fields."""
    noise = re.compile(r"^\s+at |^\s+('\$|Type:|Code:|Error:)|^\s*}$")
    lines = [line.rstrip() for line in said.splitlines() if line.strip() and not noise.match(line)]
    return "\n".join(f"  {line}" for line in lines[-MESSAGE_LINES:])
