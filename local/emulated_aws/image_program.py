"""An image function, started by its own ENTRYPOINT and CMD in a sandbox."""

import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from local.emulated_aws.functions import ImagePackage, RunnableFunction
from local.emulated_aws.registry_client import RegistryClient
from local.execution_environment import Program
from local.image_sandbox import ImageSandbox, unpack

# Those that Lambda hands on although they begin with an underscore.
# https://github.com/aws/aws-lambda-runtime-interface-emulator, rapidcore/env/customer.go
_UNDERSCORED: Final = ("_HANDLER", "_AWS_XRAY_DAEMON_ADDRESS", "_AWS_XRAY_DAEMON_PORT")


class MakeImageProgram(Protocol):
    """Says how the processes of an image function are made."""

    def __call__(
        self,
        function: RunnableFunction,
        package: ImagePackage,
        *,
        variables: Mapping[str, str],
        log: Callable[[str], None],
    ) -> Program:
        """``variables`` are those of Lambda and of the function; ``log`` gets its output."""


class NoImageError(Exception):
    """There is nothing to run images from."""


def no_image(function: RunnableFunction, package: ImagePackage, **_: object) -> Program:
    """Raise NoImageError: of an account without a registry, moto forgets what is in an image."""
    raise NoImageError(
        f"{function.settings.name} runs the image {package.digest}, and the emulated account was"
        " started without a registry that would have its bytes"
    )


def image_program(
    function: RunnableFunction,
    package: ImagePackage,
    *,
    variables: Mapping[str, str],
    log: Callable[[str], None],
    registry: RegistryClient,
    folder: Path,
) -> Program:
    """Fetch the image and unpack it below ``folder``, once for each digest.

    Raises ImageSandboxError when that cannot be done here.
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
    environment = {**_image_variables(config), **variables}

    def new_process() -> ImageSandbox:
        return ImageSandbox(
            rootfs,
            command=[*entry_point, *command],
            workdir=workdir,
            environment=environment,
            memory_mb=function.settings.memory_mb,
            log=log,
        )

    return Program(
        new_process=new_process,
        launched=f"Entrypoint: [{', '.join(entry_point)}]\tCmd: [{', '.join(command)}]"
        f"\tWorkingDir: [{workdir}]",
    )


def _image_variables(config: Mapping[str, Any]) -> dict[str, str]:
    pairs = (entry.partition("=") for entry in config.get("Env") or ())
    return {
        name: value for name, _, value in pairs if not name.startswith("_") or name in _UNDERSCORED
    }
