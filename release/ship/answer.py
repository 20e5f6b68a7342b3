"""The answer of `ship`: as text, and as JSON has it."""

from collections.abc import Iterator, Sequence

import msgspec
import typer

from release.ship.ship import LOG, Journey, ShipStepResult
from release.ship.shipment import Shipment


class ShippedStageResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A stage and the steps that were taken for it. What is not known is null."""

    stage: str
    account: str | None
    region: str | None
    digest: str | None
    steps: tuple[ShipStepResult, ...]
    api_url: str | None
    page_url: str | None


class ShipResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What was shipped; with ``dryRun`` nothing was. ``log`` is below the project's root."""

    stages: tuple[ShippedStageResult, ...]
    dry_run: bool
    log: str


def result_of(journey: Journey, shipments: Sequence[Shipment]) -> ShipResult:
    """Return what was shipped so far."""
    return ShipResult(
        stages=tuple(
            ShippedStageResult(
                stage=shipment.stage.name,
                account=shipment.account or None,
                region=shipment.stage.region if shipment.account else None,
                digest=shipment.pin.digest if shipment.pin else None,
                steps=tuple(journey.taken[shipment.stage.name]),
                api_url=shipment.deployed.api_url if shipment.deployed else None,
                page_url=shipment.page_url,
            )
            for shipment in shipments
            if shipment.stage.name in journey.taken
        ),
        dry_run=journey.dry_run,
        log=LOG.as_posix(),
    )


def as_text(result: ShipResult, shipments: Sequence[Shipment], until: str | None) -> str:
    """Return what a person reads at the end. ``until`` is the last step, where that was named."""
    return "\n".join(_lines(result, shipments, until))


def _lines(result: ShipResult, shipments: Sequence[Shipment], until: str | None) -> Iterator[str]:
    if result.dry_run:
        yield "nothing was changed"
        return
    if until:
        stages = ", ".join(shipment.stage.name for shipment in shipments)
        what = "the templates have" if until == "synth" else "the image has"
        yield f"{stages}: {what} passed {until}"
        yield f"  image    {shipments[0].built().digest}"
        return
    for stage, shipment in zip(result.stages, shipments, strict=False):
        yield typer.style(f"{stage.stage} is live", bold=True)
        yield f"  page     {stage.page_url}"
        yield f"  API      {stage.api_url}"
        yield f"  image    {stage.digest}"
        if not shipment.lock_change.is_committed:
            yield f'  to do    git commit -m "Pin {stage.stage}" -- {shipment.project.lock.name}'
        if shipment.alarm_topic:
            yield (
                "  alarms   aws sns subscribe --protocol email --notification-endpoint YOU@EXAMPLE"
                f" --topic-arn {shipment.alarm_topic}"
            )
