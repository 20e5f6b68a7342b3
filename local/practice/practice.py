"""Starts the account to practise in: the steps from nothing to a file to source."""

import platform
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imagecheck.errors import FailedError
from imagecheck.function import Architecture
from local.cloud import Cloud, emulated_cloud
from local.deploy import PROJECT
from local.docker_registry import running_registry
from local.emulated_aws import served_stacks
from local.emulated_aws.patching import patched
from local.emulated_aws.registry_client import RegistryClient
from local.folder_lock import locked
from local.gateway import reserve_port
from local.practice.activation import write_activation
from local.practice.base_image import machine_architecture, push_base
from local.practice.checkout import make_practice_checkout
from local.practice.stack_servers import StackServers
from local.progress import ProgressReport

PROGRAMS: Final = {
    "buildah": "buildah",
    "bwrap": "bubblewrap",
    "docker-registry": "docker-registry",
}
"""What is needed beside the Python packages, and the Debian packages that have it."""
PYTHON_VERSION: Final = f"{sys.version_info.major}.{sys.version_info.minor}"
_TOLD: Final = ("AWS_", "CDK_", "JSII_")


@dataclass(frozen=True, kw_only=True)
class Practice:
    """A running account to practise in."""

    cloud: Cloud
    activation: Path
    """The file to source."""
    checkout: Path
    function_log: Path


@contextmanager
def running_practice(
    *, port: int, host: str, work_folder: Path, progress: ProgressReport, say: Callable[[str], None]
) -> Iterator[Practice]:
    """Start an empty account with a base image in its registry, and make a practice checkout.

    ``port`` is that of the first page; 0 takes a free one. Pages are served at ``host``. ``say``
    gets a line when a stack is served or gone. Everything is below ``work_folder`` (an absolute
    path). On leaving, all is ended and the images are removed; the checkout stays, and the next
    start moves it aside. Raises FailedError, with HostError and WorkFolderInUseError among them.
    """
    architecture = _require_machine()
    reserve_port(0, host).close()
    since = time.monotonic()

    def done(what: str) -> None:
        nonlocal since
        before, since = since, time.monotonic()
        progress.step(what, since - before)

    work_folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.enter_context(locked(work_folder))
        registry_folder = work_folder / "registry"
        shutil.rmtree(registry_folder, ignore_errors=True)
        stack.callback(shutil.rmtree, registry_folder, ignore_errors=True)
        registry = stack.enter_context(running_registry(registry_folder))
        done("registry")
        function_log = work_folder / "function.log"
        log = stack.enter_context(function_log.open("w", encoding="utf-8", buffering=1))
        cloud = stack.enter_context(
            emulated_cloud(work_folder, registry, echo=lambda line: print(line, file=log))
        )
        servers = StackServers(cloud, first_page_port=port, host=host, progress=progress, say=say)
        stack.enter_context(patched(served_stacks.patches(servers)))
        stack.callback(servers.close)
        done("emulated AWS")
        base = push_base(RegistryClient(registry), architecture)
        done(f"base image for {architecture}")
        checkout = work_folder / "checkout"
        make_practice_checkout(
            PROJECT, checkout, architecture=architecture, python_version=PYTHON_VERSION
        )
        done("practice checkout")
        activation = work_folder / "activate"
        stack.callback(activation.unlink, missing_ok=True)
        write_activation(
            activation,
            _variables(cloud, base),
            checkout=checkout,
            virtual_environment=Path(sys.prefix),
        )
        yield Practice(
            cloud=cloud, activation=activation, checkout=checkout, function_log=function_log
        )


def _variables(cloud: Cloud, base: str) -> dict[str, str]:
    """Return what commands need to know; of the person's own, only AWS's variables are hidden."""
    told = {name: value for name, value in cloud.environment.items() if name.startswith(_TOLD)}
    return told | {
        # Of the AWS SDKs, those for Python know this one alone.
        "AWS_DEFAULT_REGION": cloud.environment["AWS_REGION"],
        "BUILDER": "buildah",
        "BUILD_ARGS": f"BASE={base} PYTHON_VERSION={PYTHON_VERSION}",
    }


def _require_machine() -> Architecture:
    """Return this machine's CPU. Raises FailedError where images cannot be built and started."""
    architecture = machine_architecture()
    if sys.platform != "linux" or architecture is None:
        raise FailedError(
            "to practise, images are built and started without Docker, which only Linux can do on"
            f" x86_64 and arm64; this is {platform.system()} on {platform.machine()}",
            hint="make run",
        )
    missing = {
        program: package for program, package in PROGRAMS.items() if not shutil.which(program)
    }
    if missing:
        raise FailedError(
            f"programs are missing: {', '.join(missing)}",
            hint=f"apt-get install --no-install-recommends {' '.join(missing.values())}",
        )
    return architecture
