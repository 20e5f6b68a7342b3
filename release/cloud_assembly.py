"""Cloud assemblies: stages as they will be deployed, each synthesized once.

An assembly is what `cdk deploy --app FOLDER` takes:
https://docs.aws.amazon.com/cdk/v2/guide/deploy.html
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from config.cdk_cli import run_cdk, synth_environment
from config.image_lock import ImagePin, read_image_lock, write_image_lock
from config.project import Project, Stage
from config.settings import ConfigurationError
from imagecheck.errors import CommandError, FailedError
from imagecheck.template import read_function, read_tables
from imagecheck.terminal import step
from release.assembly_folders import (
    ASSEMBLIES,
    UNFINISHED,
    copy,
    drop_unused_assets,
    is_whole,
    lend_assets,
    link,
    placing,
    prune,
    use,
)
from release.assembly_key import assembly_key, require_unchanged
from release.build.record import BUILD
from release.deploy.history import read_release
from release.errors import RefusedError
from release.pending_synth import PendingSynth

ASSEMBLY: Final = BUILD / "assembly"
"""Where `synth` leaves it, below the project's root."""
_VALIDATED: Final = "-validated"
_PIN_LENGTH: Final = 12


@dataclass(frozen=True)
class CloudAssembly:
    """The assembly in ``folder``, an absolute path."""

    folder: Path

    @property
    def exists(self) -> bool:
        """Whether a synth has left it there."""
        return is_whole(self.folder)

    @property
    def is_validated(self) -> bool:
        """Whether the CDK library has validated its templates: they have passed that gate."""
        return self.folder.name.endswith(_VALIDATED)

    def template(self, stage: Stage) -> Path:
        """Return the template of a stage's rooms stack."""
        return self.folder / f"{stage.names.rooms_stack}.template.json"

    def function_key(self, stage: Stage) -> str:
        """Return a name for what decides, beside the image, how a stage's function runs.

        It is another one when a property of the function or of a table is. Raises ImageReadError
        when the template has no function with an image.
        """
        template = self.template(stage)
        declared = read_function(template).declared
        properties = dict(declared.properties) if declared else {}
        properties.pop("Code", None)
        parts = json.dumps([properties, read_tables(template)], sort_keys=True)
        return hashlib.sha256(parts.encode()).hexdigest()[:16]

    def pin(self, stage: Stage) -> ImagePin:
        """Return which image it deploys to a stage.

        Raises:
            RefusedError: it was synthesized without that stage, or without an image for it.
            FailedError: there is no assembly, or it cannot be read.

        """
        synth = f"python -m release synth {stage.name}"
        if not self.exists:
            raise FailedError(f"there is no cloud assembly in {self.folder}", hint=synth)
        template = self.template(stage)
        try:
            resources = json.loads(template.read_text(encoding="utf-8"))["Resources"].values()
            (value,) = (_value(each, stage) for each in resources if _is_release(each, stage))
            pin = read_release(value)
        except FileNotFoundError as error:
            raise RefusedError(
                f"the cloud assembly in {self.folder} was synthesized without {stage.name}, or"
                " before an image was pinned for it",
                hint=synth,
            ) from error
        except (
            OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError
        ) as error:  # fmt: skip
            raise FailedError(
                f"{template} is not a template of this project: {error}", hint=synth
            ) from error
        if pin is None:
            raise RefusedError(
                f"the cloud assembly in {self.folder} deploys a zip to {stage.name}, not an image",
                hint=synth,
            )
        return pin


def synthesize(
    project: Project, stages: Sequence[Stage], folder: Path, *, is_gate: bool
) -> dict[str, ImagePin | None]:
    """Leave one assembly for all these stages, and return which image is pinned for each.

    A stage without one has its registry alone in it. One of the same files, stages and pins that is
    there and was validated is copied, and otherwise they are synthesized; ``is_gate`` says whether
    templates are validated then. What was in ``folder`` is replaced after that. Raises FailedError
    when the CDK CLI fails, also for a template that the CDK library finds invalid, or ``folder``
    cannot be written.
    """
    before = assembly_key(project, {})
    pins = read_image_lock(project.lock)
    if there := _made_before(project, stages, pins):
        with placing(project, folder, keep=False) as new:
            copy(project, there.folder, new)
    else:
        context = {"stage": ",".join(stage.name for stage in stages), "packaging": "image"}
        with step(f"synthesizing {context['stage']}"):
            _synthesize(project, pins, context, folder, before, keep=False, is_gate=is_gate)
    return {stage.name: pins.get(stage.name) for stage in stages}


def assemblies_with_image(project: Project, stage: Stage, digest: str) -> list[CloudAssembly]:
    """Return the assemblies of a stage that are there and were made of the same files and image."""
    key, image = assembly_key(project, _context(stage, "image")), _image_name(digest)
    found = map(CloudAssembly, sorted((project.root / ASSEMBLIES).glob(f"{key}-{image}-*")))
    return [one for one in found if one.exists and one.folder.suffix != UNFINISHED]


def assembly_of(
    project: Project, stage: Stage, pin: ImagePin | None, *, emergency: bool = False
) -> CloudAssembly:
    """Return a stage's assembly with this pin, or with a zip where that is None.

    It is synthesized where none is there that was made of the same files: one is for all commands
    of a release. Its templates may have been validated or not. Raises FailedError when the CDK CLI
    fails.
    """
    before = assembly_key(project, {})
    context = _context(stage, "image" if pin else "zip", emergency=emergency)
    if there := _there(project, context, pin):
        return there
    assembly = CloudAssembly(_folder(project, context, pin))
    with step(f"synthesizing {stage.name}"):
        pins = {stage.name: pin} if pin else {}
        _synthesize(project, pins, context, assembly.folder, before, keep=True, is_gate=False)
    prune(project)
    return assembly


def begin_synth(project: Project, stages: Sequence[Stage]) -> PendingSynth:
    """Begin the synth that ``validated_assemblies`` finishes; it is to be closed."""
    names = ",".join(stage.name for stage in stages)
    context = {**_context(stages[0], "image"), "stage": names}
    return PendingSynth(project, context, synth_environment(is_gate=True))


def validated_assemblies(
    project: Project,
    pins: Sequence[tuple[Stage, ImagePin]],
    pending: PendingSynth | None = None,
) -> tuple[CloudAssembly, ...]:
    """Return an assembly for each of these stages, all of one synth, which is a gate.

    ``pending`` is that synth where it was begun before. Raises FailedError when the CDK CLI fails,
    also for a template that the CDK library finds invalid.
    """
    before = assembly_key(project, {})
    contexts = [_context(stage, "image") for stage, pin in pins]
    folders = [
        _folder(project, context, pin, is_validated=True)
        for context, (_, pin) in zip(contexts, pins, strict=True)
    ]
    missing = [folder for folder in folders if not use(project, folder)]
    if missing:
        # What is there already may have one of the stages alone.
        first, *others = missing
        names = ",".join(stage.name for stage, _ in pins)
        locked = {stage.name: pin for stage, pin in pins}
        with step(f"synthesizing {names}"):
            context = {**contexts[0], "stage": names}
            if pending and pending.is_for(context):
                with placing(project, first, keep=True) as new:
                    shutil.copytree(pending.finish(locked), new, symlinks=True)
            else:
                _synthesize(project, locked, context, first, before, keep=True, is_gate=True)
        for folder in others:
            link(project, folder, first)
        prune(project)
    return tuple(map(CloudAssembly, folders))


def assembly_for_page(project: Project, stage: Stage) -> CloudAssembly:
    """Return an assembly with a stage's web stack: that of the last deployment, if it is there.

    Nothing that is wrong with a pin stands in the page's way. Raises FailedError when the CDK CLI
    fails.
    """
    try:
        pin = read_image_lock(project.lock).get(stage.name)
    except ConfigurationError:
        pin = None
    if pin:
        of_deployment = _there(project, _context(stage, "image"), pin)
        if of_deployment:
            return of_deployment
    return assembly_of(project, stage, nobodys_pin(stage, "sha256:" + "0" * 64))


def nobodys_pin(stage: Stage, digest: str) -> ImagePin:
    """Return a pin of an image whose origin is not known; it is never written to the lock file."""
    return ImagePin(
        digest=digest,
        architecture=stage.settings.architecture,
        base_digest="sha256:" + "0" * 64,
        source_revision="",
        pinned_at="1970-01-01T00:00:00Z",
    )


def _made_before(
    project: Project, stages: Sequence[Stage], pins: Mapping[str, ImagePin]
) -> CloudAssembly | None:
    """Return a validated assembly of exactly these stages, with these pins, of the same files."""
    first = pins.get(stages[0].name)
    there = _there(project, _context(stages[0], "image"), first) if first else None
    if there is None or not there.is_validated:
        return None
    if len([*there.folder.glob("*-rooms.template.json")]) != len(stages):
        return None
    try:
        has_all = all(there.pin(stage) == pins.get(stage.name) for stage in stages)
    except CommandError:  # one of the stages is not in it
        return None
    return there if has_all else None


def _there(
    project: Project, context: Mapping[str, str], pin: ImagePin | None
) -> CloudAssembly | None:
    """Return an assembly of the same files, context and pin, to be used; None: there is none."""
    for is_validated in (True, False):
        found = CloudAssembly(_folder(project, context, pin, is_validated=is_validated))
        if use(project, found.folder):
            return found
    return None


def _context(stage: Stage, packaging: str, *, emergency: bool = False) -> dict[str, str]:
    return {
        "stage": stage.name,
        "packaging": packaging,
        **({"emergency": "true"} if emergency else {}),
    }


def _folder(
    project: Project,
    context: Mapping[str, str],
    pin: ImagePin | None,
    *,
    is_validated: bool = False,
) -> Path:
    """Return a folder whose name is another one when anything is that an assembly is made of.

    That of a validated one is another, too: it may not take the other's place, which may be in use.
    """
    image = _image_name(pin.digest) if pin else "zip"
    rest = hashlib.sha256(msgspec.json.encode(pin)).hexdigest()[:_PIN_LENGTH]
    name = f"{assembly_key(project, context)}-{image}-{rest}"
    return project.root / ASSEMBLIES / (name + _VALIDATED if is_validated else name)


def _image_name(digest: str) -> str:
    return digest.removeprefix("sha256:")[:_PIN_LENGTH]


def _synthesize(
    project: Project,
    pins: Mapping[str, ImagePin],
    context: Mapping[str, str],
    folder: Path,
    before: str,
    *,
    keep: bool,
    is_gate: bool,
) -> None:
    """Synthesize with these pins into a folder, which is as it was when that fails.

    It names no account, whatever credentials are here: who deploys it decides. ``before`` is the
    project's key without a context, taken before the folder was named.
    """
    with (
        placing(project, folder, keep=keep) as new,
        tempfile.TemporaryDirectory(prefix="synth-") as temporary,
    ):
        lock = Path(temporary, "image-lock.json")
        write_image_lock(lock, pins)
        lend_assets(project, new)
        arguments = ["synth", "--quiet", f"--output={new}"]
        environment = synth_environment(is_gate=is_gate)
        pinned = {**context, "imageLock": str(lock)}
        run_cdk(project.root, arguments, pinned, environment=environment)
        require_unchanged(project, {}, before)
        drop_unused_assets(new)


def _is_release(resource: Mapping[str, Any], stage: Stage) -> bool:
    named: object = resource.get("Properties", {}).get("Name")
    return bool(
        resource["Type"] == "AWS::SSM::Parameter" and named == stage.names.release_parameter
    )


def _value(resource: Mapping[str, Any], stage: Stage) -> str:
    value = resource["Properties"]["Value"]
    if not isinstance(value, str):
        raise msgspec.ValidationError(f"{stage.names.release_parameter} is not a text")
    return value
