"""A stage that is being shipped, and what is known of it so far."""

from dataclasses import dataclass

from config.image_lock import ImagePin
from config.project import Project, Stage
from imagecheck.errors import FailedError
from release.build.builder import Builder
from release.build.record import BuildRecord, read_record
from release.cloud_assembly import CloudAssembly
from release.deploy.deploy import Deployed
from release.pending_synth import PendingSynth
from release.ship.lock_change import LockChange


@dataclass(frozen=True, kw_only=True)
class ShipOptions:
    """What applies to every stage.

    ``again`` is the command as it was typed. ``ask``: whether there is a person at a terminal who
    answers; otherwise ``yes`` is what they would say. ``commit`` is whether the lock file is
    committed at all.
    """

    again: str
    builder: Builder | None
    build_arguments: dict[str, str]
    skip_boot: bool
    commit: bool
    yes: bool
    ask: bool


@dataclass(kw_only=True)
class Shipment:
    """A stage on its way. What a step finds out is written here, and read by the steps after it.

    ``source`` is the stage whose image is promoted; None where the image is built. ``others`` are
    stages that get the same image later: one synth is for all.
    """

    project: Project
    stage: Stage
    account: str
    """Empty where no step asks AWS."""
    options: ShipOptions
    lock_change: LockChange
    source: "Shipment | None" = None
    others: tuple["Shipment", ...] = ()
    record: BuildRecord | None = None
    pin: ImagePin | None = None
    assembly: CloudAssembly | None = None
    pending_synth: PendingSynth | None = None
    """Begun beside the build."""
    deployed: Deployed | None = None
    page_url: str | None = None
    alarm_topic: str | None = None
    """The ARN of the topic to subscribe to, after a first deployment."""

    def __post_init__(self) -> None:
        """Take up what an earlier run has left."""
        if self.source is None:
            try:
                self.record = read_record(self.project.root, self.stage.name)
            except FailedError:
                self.record = None

    @property
    def environments(self) -> list[str]:
        """What the stage's stacks are deployed to, in the words of the CDK CLI."""
        return [f"aws://{self.account}/{region}" for region in self.stage.regions]

    def close(self) -> None:
        """End what goes on beside the steps."""
        if self.pending_synth:
            self.pending_synth.close()
            self.pending_synth = None

    def built(self) -> BuildRecord:
        """Return the record of the image that is shipped."""
        if self.source:
            return self.source.built()
        assert self.record  # noqa: S101  (the steps are in order)
        return self.record

    def pinned(self) -> tuple[ImagePin, CloudAssembly]:
        """Return the pin, and the assembly that has it."""
        assert self.pin  # noqa: S101  (the steps are in order)
        assert self.assembly  # noqa: S101
        return self.pin, self.assembly
