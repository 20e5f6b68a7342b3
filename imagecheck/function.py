"""The Lambda function that an image is for, and the command that the two add up to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from imagecheck.image.elf import AARCH64, X86_64
from imagecheck.image.manifest import RuntimeConfig

Architecture = Literal["arm64", "x86_64"]
DEFAULT_ARCHITECTURE: Final[Architecture] = "x86_64"
"""What a function has that names none: https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html"""

IMAGE_ARCHITECTURES: Final = {"arm64": "arm64", "x86_64": "amd64"}
"""Lambda's name of a CPU, and that which image configurations use."""
MACHINES: Final = {"arm64": AARCH64, "x86_64": X86_64}
"""Lambda's name of a CPU, and ``e_machine`` in ELF files for it."""


@dataclass(frozen=True)
class Declared:
    """A function as a template declares it."""

    logical_id: str
    properties: Mapping[str, Any]
    image_uri: str
    """With ``${Name}`` for what is known only when it is deployed."""

    @property
    def is_on_managed_instances(self) -> bool:
        """Whether it runs on EC2 instances that Lambda manages.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-lambda-function-capacityproviderconfig.html
        """
        return bool(self.properties.get("CapacityProviderConfig"))


@dataclass(frozen=True)
class Limits:
    """What a function may use."""

    memory_mb: int
    """In MiB."""
    timeout_seconds: int
    """Of one invocation."""


@dataclass(frozen=True)
class Function:
    """What decides, beside the image, how it is started. None: as the image has it."""

    architecture: Architecture
    entrypoint: tuple[str, ...] | None = None
    command: tuple[str, ...] | None = None
    workdir: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    declared: Declared | None = None
    """Where it comes from a template."""
    is_assumed: bool = False
    """Whether nobody said which function it is, so that its CPU is the image's own."""

    @property
    def machine(self) -> int:
        """The ``e_machine`` of programs that run on it."""
        return MACHINES[self.architecture]

    @property
    def image_architecture(self) -> str:
        """What the image's configuration should name."""
        return IMAGE_ARCHITECTURES[self.architecture]


@dataclass(frozen=True)
class Start:
    """How Lambda starts the image."""

    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    workdir: str
    environment: Mapping[str, str]

    @property
    def argv(self) -> tuple[str, ...]:
        """The program and its arguments."""
        return self.entrypoint + self.command


def effective_start(image: RuntimeConfig | None, function: Function) -> Start:
    """Put the function's overrides over what the image says.

    Each of the three is overridden by itself: giving an ENTRYPOINT leaves the image's CMD.
    https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#images-parms
    """
    image = image or RuntimeConfig()
    return Start(
        entrypoint=_given(function.entrypoint, image.entrypoint),
        command=_given(function.command, image.cmd),
        workdir=function.workdir or image.working_dir or "",
        environment=dict(split_variable(item) for item in image.env or ())
        | dict(function.environment),
    )


def split_variable(text: str) -> tuple[str, str]:
    """Split ``NAME=value``."""
    name, _, value = text.partition("=")
    return name, value


def _given(override: Sequence[str] | None, image: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(override or image or ())
