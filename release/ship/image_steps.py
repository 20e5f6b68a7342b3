"""The steps that make an image and take it to its repository and into the lock file."""

from pathlib import Path
from typing import Final

from config.image_lock import ImagePin, read_image_lock, write_pin
from config.project import now
from imagecheck.dockerfile import base_of
from imagecheck.image.layer_cache import LayerCache, default_folder
from imagecheck.image.reference import parse_reference
from imagecheck.options import CheckOptions, Format
from imagecheck.progress import ProgressBar
from imagecheck.report.text import verdict
from imagecheck.rules import BY_ID
from imagecheck.terminal import unstyled
from release.assembly_folders import use
from release.boot.answer import course_text
from release.boot.boot import boot_image
from release.build.base_table import with_base
from release.build.build import build_image
from release.build.context import SOURCE
from release.build.gates import Gate, Passed, note_gate, passed_gates
from release.build.record import LAYOUT
from release.check_for_stage import check_for_stage
from release.cloud_assembly import assemblies_with_image, begin_synth, validated_assemblies
from release.errors import RefusedError
from release.pin import is_of_this_source, require_pinnable
from release.planned_pin import planned_pin
from release.registry.promote import promote_image
from release.registry.push_image import push_image
from release.registry.repository import StageRepository
from release.ship.shipment import Shipment
from release.ship.step import Step

_SHORT: Final = len("sha256:") + 12
_IMAGE: Final = f"oci:{LAYOUT.as_posix()}"


def _built(shipment: Shipment) -> str | None:
    project, record = shipment.project, shipment.record
    if record is None or not (project.root / LAYOUT).exists():
        return None
    if record.architecture != shipment.stage.settings.architecture or record.dirty:
        return None
    if not is_of_this_source(project, record) or record.base_digest != _base_digest(shipment):
        return None
    return f"{record.digest[:_SHORT]} is of this source"


def _base_digest(shipment: Shipment) -> str | None:
    """Return the digest of the base that a build would take now."""
    dockerfile = shipment.project.root / SOURCE / "Dockerfile"
    architecture = shipment.stage.settings.architecture
    arguments = with_base(dockerfile, shipment.options.build_arguments, architecture)
    base = base_of(dockerfile, arguments)
    return base.digest if base else None


def _build(shipment: Shipment) -> str:
    project, stages = shipment.project, [one.stage for one in (shipment, *shipment.others)]
    shipment.pending_synth = begin_synth(project, stages)
    record = build_image(
        project,
        shipment.stage,
        builder=shipment.options.builder,
        build_arguments=shipment.options.build_arguments,
    )
    shipment.record = record
    return f"{record.digest[:_SHORT]} for {record.architecture}"


def _planned_pin(shipment: Shipment) -> ImagePin:
    return planned_pin(shipment.project, shipment.stage, shipment.built())


def _synthesized(shipment: Shipment) -> str | None:
    if shipment.assembly:
        return "with the stage before"
    if shipment.record is None:
        return None
    project, stage = shipment.project, shipment.stage
    shipment.pin = pin = _planned_pin(shipment)
    there = assemblies_with_image(project, stage, pin.digest)
    found = next((one for one in there if one.is_validated and one.pin(stage) == pin), None)
    if shipment.others or found is None:
        return None
    if not use(project, found.folder):
        return None
    shipment.assembly = found
    return "nothing has changed since"


def _synthesize(shipment: Shipment) -> str:
    shipments = (shipment, *shipment.others)
    pins = [(one.stage, _planned_pin(one)) for one in shipments]
    assemblies = validated_assemblies(shipment.project, pins, shipment.pending_synth)
    shipment.close()
    for one, (_, pin), assembly in zip(shipments, pins, assemblies, strict=True):
        one.pin, one.assembly = pin, assembly
    return ", ".join(stage.name for stage, _ in pins)


def _passed(shipment: Shipment, gate: Gate) -> str | None:
    if shipment.record is None or shipment.assembly is None:
        return None
    record = shipment.record
    passed = passed_gates(shipment.project.root, record.digest, record.architecture).get(gate)
    if passed is None or passed.function != shipment.assembly.function_key(shipment.stage):
        return None
    return f"passed at {passed.at}"


def _checked(shipment: Shipment) -> str | None:
    return _passed(shipment, "check")


def _check(shipment: Shipment) -> str:
    options = CheckOptions(image=_IMAGE, dockerfile=Path(SOURCE, "Dockerfile"))
    checked = check_for_stage(shipment.project, shipment.stage, options)
    if checked.exit_status:
        errors = [finding for finding in checked.report.findings if finding.severity == "error"]
        summary = ", ".join(f"{one.rule} {BY_ID[one.rule].title}" for one in errors)
        report = unstyled(checked.answer(Format.TEXT, "check"))
        raise RefusedError(
            f"{summary}\n{report}", details={"rules": [finding.rule for finding in errors]}
        )
    return verdict(checked.report)


def _booted(shipment: Shipment) -> str | None:
    passed = _passed(shipment, "boot")
    if passed is None and shipment.options.skip_boot:
        return "SKIPPED (--skip-boot): the pre-traffic hook is the gate that remains"
    return passed


def _boot(shipment: Shipment) -> str:
    project, stage, record = shipment.project, shipment.stage, shipment.built()
    with ProgressBar() as progress:
        booted = boot_image(
            project,
            stage,
            parse_reference(_IMAGE),
            cache=LayerCache(default_folder()),
            progress=progress,
        )
    passed = None
    if booted.failure is None:
        passed = Passed(at=now(), architecture=record.architecture, function=booted.function_key)
    note_gate(project.root, record.digest, record.architecture, "boot", passed)
    if failure := booted.failure:
        summary = f"{failure.at}: {failure.error_type or 'a wrong answer'}"
        raise RefusedError(f"{summary}\n{unstyled(course_text(booted))}")
    how = f", emulated by {booted.emulator}," if booted.emulator else ","
    return f"it starts{how} and passes the contract test"


def _pushed(shipment: Shipment) -> str | None:
    if shipment.record is None:
        return None
    try:
        there = StageRepository(shipment.stage).image(shipment.record.digest)
    except RefusedError:  # there is no repository yet
        return None
    if there and there.status == "ACTIVE" and shipment.record.source_revision in there.tags:
        return "it is there"
    return None


def _push(shipment: Shipment) -> str:
    with ProgressBar("pushing layers") as progress:
        arrived = push_image(
            shipment.stage, shipment.built(), parse_reference(_IMAGE), to=None, progress=progress
        )
    sent = f"{arrived.pushed.sent_bytes / 1e6:,.1f} MB sent"
    return f"{'it was there' if arrived.pushed.was_there else sent}, to {arrived.repository}"


def _pinned(shipment: Shipment) -> str | None:
    if shipment.pin is None:
        return None
    pins = read_image_lock(shipment.project.lock)
    return "it is pinned" if pins.get(shipment.stage.name) == shipment.pin else None


def _pin(shipment: Shipment) -> str:
    pin, _ = shipment.pinned()
    require_pinnable(shipment.project, shipment.stage, shipment.built(), push_later=False)
    write_pin(shipment.project.lock, shipment.stage.name, pin)
    return shipment.project.lock.name


def _promote(shipment: Shipment) -> str:
    assert shipment.source  # noqa: S101  (this step is for stages that have one)
    pin, _ = shipment.pinned()
    promoted = promote_image(
        shipment.project,
        shipment.source.stage,
        shipment.stage,
        cache=LayerCache(default_folder()),
        pinned_at=pin.pinned_at,
    )
    return f"{promoted.pin.digest[:_SHORT]} to {promoted.repository}"


def _committed(shipment: Shipment) -> str | None:
    if not shipment.options.commit:
        return "--no-commit: commit the lock file yourself"
    if _pinned(shipment) and shipment.lock_change.is_committed:
        return "it is committed"
    return None


def _commit(shipment: Shipment) -> str:
    message = f"Pin {shipment.stage.name}"
    shipment.lock_change.commit(message)
    return message


BUILD_IMAGE: Final = Step(name="build", done=_built, run=_build)
SYNTH: Final = Step(name="synth", done=_synthesized, run=_synthesize)
CHECK: Final = Step(name="check", done=_checked, run=_check)
BOOT: Final = Step(name="boot", done=_booted, run=_boot)
PUSH: Final = Step(name="push", done=_pushed, run=_push)
PIN: Final = Step(name="pin", done=_pinned, run=_pin)
PROMOTE: Final = Step(name="promote", done=_pinned, run=_promote)
COMMIT: Final = Step(name="commit", done=_committed, run=_commit)
