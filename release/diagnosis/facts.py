"""The facts of a stage, as AWS, the lock file and the image give them.

Each source may be unreadable by itself. None: it could not be read, and ``StageFacts.unread`` has
the reason. ABSENT: it was read, and there is no such thing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

import msgspec

from config.image_lock import ImagePin
from config.project import Stage
from release.diagnosis.image_facts import ImageFacts
from release.diagnosis.log_lines import Line
from release.diagnosis.outcome import InvocationOutcome, answers


class Absent(Enum):
    """The value for a thing that does not exist."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT


class UnreadSource(msgspec.Struct, frozen=True, rename="camel"):
    """A source that could not be read, why, and what to do about it."""

    source: str
    why: str
    hint: str | None = None


@dataclass(frozen=True)
class FailedResource:
    """A resource that the last operation on the stack could not create, change or put back."""

    logical_id: str
    type: str
    status: str
    reason: str


_NOT_MADE: Final = (
    "CREATE_FAILED", "CREATE_IN_PROGRESS", "DELETE_FAILED", "DELETE_IN_PROGRESS",
    "REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "ROLLBACK_IN_PROGRESS",
)  # fmt: skip
_SETTLED: Final = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")


@dataclass(frozen=True)
class StackFacts:
    """The stack. ``failures`` are those of its last operation, the first one first."""

    status: str
    outputs: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    failures: tuple[FailedResource, ...] = ()
    image: str = ""
    """The image of its last operation, even if that was rolled back; empty where no event says."""

    @property
    def is_made(self) -> bool:
        """Whether it was created once, and is not being deleted."""
        return self.status not in _NOT_MADE

    @property
    def is_settled(self) -> bool:
        """Whether its last operation went well."""
        return self.status in _SETTLED


@dataclass(frozen=True)
class Override:
    """``ImageConfig`` of the function. None: not given; what is empty is given, and empty."""

    entrypoint: tuple[str, ...] | None = None
    command: tuple[str, ...] | None = None
    workdir: str | None = None

    def __str__(self) -> str:
        """As the API writes it: the console shows an empty string like nothing at all."""
        parts = (
            ("EntryPoint", None if self.entrypoint is None else list(self.entrypoint)),
            ("Command", None if self.command is None else list(self.command)),
            ("WorkingDirectory", self.workdir),
        )
        return ", ".join(f"{name}: {value!r}" for name, value in parts if value is not None)


@dataclass(frozen=True, kw_only=True)
class FunctionFacts:
    """What GetFunction says of a version.

    https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html
    """

    version: str
    state: str = "Active"
    state_code: str = ""
    state_reason: str = ""
    update_status: str = "Successful"
    update_code: str = ""
    update_reason: str = ""
    package: str = "Image"
    """``Image`` or ``Zip``."""
    architecture: str = "arm64"
    image: str = ""
    """The image that runs, ``repository@sha256:…``; empty for a zip."""
    override: Override | None = None
    handler: str = ""
    """Of a zip."""
    memory_mb: int = 512
    timeout_seconds: int = 20
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    """They may be secrets: only their names are ever shown."""
    variables_error: str = ""
    role: str = ""
    kms_key: str = ""

    @property
    def digest(self) -> str:
        """The image's; empty for a zip."""
        return self.image.partition("@")[2]


@dataclass(frozen=True)
class AliasFacts:
    """Where alias ``live`` points. ``weights``: shares of traffic of other versions."""

    version: str
    weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Concurrency:
    """How many environments may run at once. ``reserved``: None where nothing is."""

    reserved: int | None
    account: int | None = None
    """The account's limit; None where it could not be asked."""
    unreserved: int | None = None
    """What of it is left for functions without a reservation."""


@dataclass(frozen=True)
class LifecycleEvent:
    """A step of a CodeDeploy deployment."""

    name: str
    status: str
    message: str = ""


STOPPED_BY_ALARM: Final = "ALARM_ACTIVE"
"""https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_ErrorInformation.html"""


@dataclass(frozen=True, kw_only=True)
class DeploymentFacts:
    """The newest CodeDeploy deployment."""

    id: str
    status: str
    code: str = ""
    message: str = ""
    version: str = ""
    """The version that it brings."""
    events: tuple[LifecycleEvent, ...] = ()
    alarms: tuple[str, ...] = ()
    """The alarms of its deployment group, read where an alarm stopped it."""

    @property
    def is_refused(self) -> bool:
        """Whether its version did not come to be live."""
        return self.status in ("Failed", "Stopped")


@dataclass(frozen=True)
class HookFacts:
    """What the pre-traffic hook logged of the newest deployment."""

    status: str
    """``Failed`` or ``Succeeded``; empty: its log was read, and has nothing of that deployment."""
    step: str = ""
    found: str = ""
    version: str = ""
    """The version that it asked."""
    lines: tuple[Line, ...] = ()
    """Failures in its log, read where it reported none of the version's."""


@dataclass(frozen=True)
class LogFacts:
    """Lines that tell of a failure, oldest first."""

    minutes: int
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True)
class AccessFacts:
    """Of the API's access log: how often each status was answered, and the integration's errors."""

    statuses: Mapping[str, int] = field(default_factory=dict)
    errors: tuple[str, ...] = ()
    throttled_routes: tuple[str, ...] = ()
    """The routes on which the API itself answered 429, the one with most first."""


@dataclass(frozen=True)
class AlarmFacts:
    """An alarm in ALARM."""

    name: str
    reason: str = ""
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class StageFacts:
    """All facts of a stage. The module docstring explains None and ABSENT."""

    stage: Stage
    function_name: str
    asked_to_invoke: bool = True
    pin: ImagePin | None = None
    """What the lock file pins for the stage; None also where it pins nothing."""
    released: str | None = None
    """The digest that the stack deployed last, by its SSM parameter; empty for a zip."""
    stack: StackFacts | Absent | None = None
    latest: FunctionFacts | Absent | None = None
    live: FunctionFacts | Absent | None = None
    alias: AliasFacts | Absent | None = None
    concurrency: Concurrency | None = None
    api_may_invoke: bool | None = None
    table: str | Absent | None = None
    """Its status."""
    live_image: ImageFacts | None = None
    refused: FunctionFacts | Absent | None = None
    """The version that the newest deployment brought, where it failed."""
    refused_image: ImageFacts | None = None
    """The image of the version that was refused, where that is another one than live's."""
    deployment: DeploymentFacts | Absent | None = None
    hook: HookFacts | None = None
    logs: LogFacts | Absent | None = None
    access: AccessFacts | Absent | None = None
    alarms: tuple[AlarmFacts, ...] | None = None
    throttled: int | None = None
    """Invocations that were throttled in the minutes that the logs are of."""
    invocation: InvocationOutcome | None = None
    unread: tuple[UnreadSource, ...] = ()

    @property
    def works_now(self) -> bool:
        """Whether the invocation has just proved it."""
        return answers(self.invocation)

    @property
    def has_nothing_live(self) -> bool:
        """Whether there is nothing that could fail: no stack, or none that was ever whole."""
        stack, is_seen = self.stack, self.invocation is not None
        is_made = stack is None or (isinstance(stack, StackFacts) and stack.is_made)
        return not (is_made or is_seen or isinstance(self.live, FunctionFacts))

    @property
    def failed_before_shift(self) -> bool:
        """Whether the stack's last operation ended before traffic was to move.

        Then the newest deployment of CodeDeploy is of an operation before it.
        """
        failures = self.stack.failures if isinstance(self.stack, StackFacts) else ()
        return bool(failures) and failures[0].type != "AWS::Lambda::Alias"

    @property
    def fails_now(self) -> bool:
        """Whether live was just seen to fail, or is not there."""
        is_gone = ABSENT in (self.latest, self.live)
        return is_gone or (self.invocation is not None and not self.works_now)
