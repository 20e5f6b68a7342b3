"""Runs image functions: by their own ENTRYPOINT and CMD, in a sandbox."""

import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from imagecheck.errors import FailedError
from lambda_runtime.image_sandbox import ImageSandbox, unpack
from lambda_runtime.variables import image_variables
from local.emulated_aws.functions import ImagePackage, RunnableFunction
from local.emulated_aws.registry_client import RegistryClient
from local.execution_environment import FunctionProgram

# Lambda passes these on although they begin with an underscore.
# https://github.com/aws/aws-lambda-runtime-interface-emulator, rapidcore/env/customer.go
_UNDERSCORED: Final = ("_AWS_XRAY_DAEMON_ADDRESS", "_AWS_XRAY_DAEMON_PORT")


class MakeImageProgram(Protocol):
    """Returns a program that makes the processes of an image function."""

    def __call__(
        self,
        function: RunnableFunction,
        package: ImagePackage,
        *,
        variables: Mapping[str, str],
        log: Callable[[str], None],
    ) -> FunctionProgram:
        """``variables`` are those of Lambda and of the function; ``log`` gets its output."""


class NoImageError(FailedError):
    """The account has no registry to run images from."""


def no_image(function: RunnableFunction, package: ImagePackage, **_: object) -> FunctionProgram:
    """Raise NoImageError: without a registry, moto drops the content of layers."""
    raise NoImageError(
        f"{function.settings.name} runs the image {package.digest}, but the emulated account was"
        " started without a registry that holds it"
    )


def image_program(
    function: RunnableFunction,
    package: ImagePackage,
    *,
    variables: Mapping[str, str],
    log: Callable[[str], None],
    registry: RegistryClient,
    folder: Path,
) -> FunctionProgram:
    """Fetch the image and unpack it below ``folder``, once for each digest.

    Raises RegistryClientError or ImageSandboxError.
    """
    rootfs = folder / package.digest.removeprefix("sha256:")
    config_file = rootfs.with_suffix(".json")
    if not config_file.exists():
        with tempfile.TemporaryDirectory(dir=folder) as layout:
            config = registry.fetch(package.repository, package.digest, Path(layout))
            unpack(Path(layout), rootfs, digest=package.digest)
        config_file.write_text(json.dumps(config))
    config = json.loads(config_file.read_text()).get("config") or {}
    entry_point = list(package.entry_point or config.get("Entrypoint") or ())
    command = list(package.command or config.get("Cmd") or ())
    workdir = package.working_directory or config.get("WorkingDir") or "/"
    environment = image_variables({**_variables_of(config), **variables}, command=command)

    def new_process() -> ImageSandbox:
        return ImageSandbox(
            rootfs,
            command=[*entry_point, *command],
            workdir=workdir,
            environment=environment,
            memory_mb=function.settings.memory_mb,
            log=log,
        )

    return FunctionProgram(
        new_process=new_process,
        launched=f"Entrypoint: [{', '.join(entry_point)}]\tCmd: [{', '.join(command)}]"
        f"\tWorkingDir: [{workdir}]",
    )


def _variables_of(config: Mapping[str, Any]) -> dict[str, str]:
    pairs = (entry.partition("=") for entry in config.get("Env") or ())
    return {
        name: value for name, _, value in pairs if not name.startswith("_") or name in _UNDERSCORED
    }
