"""What an image is started in: the sandbox or Docker, on this CPU or under an emulator of another.

An emulator starts images that Lambda does not: a boot under one says so.
"""

import platform
import shutil
import sys
from typing import Final, Literal, Protocol

from imagecheck.errors import FailedError
from imagecheck.function import IMAGE_ARCHITECTURES, MACHINES, Architecture
from lambda_runtime.emulator import emulator_of
from lambda_runtime.image_sandbox import ImageSandboxError, require_tools
from lambda_runtime.runtime_api import FunctionError

EngineName = Literal["sandbox", "docker"]

WHERE: Final[dict[EngineName, str]] = {
    "sandbox": "bubblewrap, as user 993:990, on a read-only root with /tmp to write to",
    "docker": "docker, as user 993:990, on a read-only root with /tmp to write to",
}
OF_DOCKER: Final = "the emulator of Docker's machine"
_CPUS: Final[dict[str, Architecture]] = {
    "aarch64": "arm64",
    "amd64": "x86_64",
    "arm64": "arm64",
    "x86_64": "x86_64",
}


class Engine(Protocol):
    """What an image runs in: one process, that starts once. ``ImageSandbox`` is one."""

    def start(self, timeout: float) -> FunctionError | None:
        """Start it; return the error if it does not ask for an event within ``timeout`` s."""
        ...

    def invoke(self, event: bytes, *, timeout: float, function_arn: str) -> bytes | FunctionError:
        """Give it an event; after ``timeout`` seconds, or an end, it is gone."""
        ...

    def close(self) -> None:
        """End it."""
        ...


def choose_engine(asked: EngineName | None) -> EngineName:
    """Take what was asked for; else the sandbox where its tools are, and docker where they are not.

    Raises FailedError when there is neither.
    """
    try:
        if asked != "docker":
            require_tools()
            return "sandbox"
    except ImageSandboxError as error:
        if asked == "sandbox" or shutil.which("docker") is None:
            hints = (error.hint, None if asked else "install Docker")
            hint = ", or ".join(filter(None, hints)) or None
            raise FailedError(error.message, hint=hint) from error
    if shutil.which("docker") is None:
        raise FailedError("docker is not installed")
    return "docker"


def this_cpu() -> Architecture | None:
    """Return this machine's CPU in Lambda's word; None: Lambda has none like it."""
    return _CPUS.get(platform.machine().lower())


def can_emulate(architecture: Architecture) -> bool:
    """Whether this machine starts programs of a CPU that is not its own, in any root."""
    emulator = emulator_of(MACHINES[architecture])
    return emulator is not None and emulator.is_fixed


def emulator_for(architecture: Architecture, engine: EngineName, stage: str) -> str:
    """Return what programs of a CPU are started with here; empty where the CPU is this machine's.

    Raises:
        FailedError: nothing starts them here, or not where the root is the image's.

    """
    if architecture == this_cpu():
        return ""
    if engine == "docker" and not is_docker_on_this_machine():
        # What is registered there cannot be seen from here. Docker Desktop has them all.
        return OF_DOCKER
    emulator = emulator_of(MACHINES[architecture])
    if emulator and emulator.is_fixed:
        return emulator.interpreter
    lacks = (
        f"{emulator.interpreter} was registered without the flag F, so no image finds it"
        if emulator
        else f"it has no emulator of {architecture}"
    )
    raise FailedError(
        f"the function is {architecture} and this machine is {this_cpu() or platform.machine()};"
        f" {lacks}",
        hint="\n".join(_ways(architecture, stage)),
    )


def notes_on_emulation(architecture: Architecture, emulator: str) -> tuple[str, ...]:
    """Return what a boot under an emulator does not show; nothing where there is none."""
    if not emulator:
        return ()
    return (
        f"it ran emulated, by {emulator}: its times are not Lambda's (and may be ten times as"
        f" long), its memory was not limited, and an emulator starts some images that Lambda's"
        f" {architecture} does not. The pre-traffic hook tries it there",
    )


def is_docker_on_this_machine() -> bool:
    """Whether containers can have this machine's loopback and files: not in a virtual machine."""
    return sys.platform == "linux" and "microsoft" not in platform.release().lower()


def _ways(architecture: Architecture, stage: str) -> tuple[str, ...]:
    return (
        f"build and boot on an {architecture} machine, such as a runner of the pipeline:"
        f" python -m release boot {stage}",
        "or install QEMU, which boots it emulated: sudo apt-get install qemu-user-static (with"
        " Docker: docker run --privileged --rm tonistiigi/binfmt --install"
        f" {IMAGE_ARCHITECTURES[architecture]})",
        "or go on without, and the pre-traffic hook is the gate that remains (a first deployment"
        f" has none): python -m release ship {stage} --skip-boot",
    )
