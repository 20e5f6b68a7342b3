"""Cloud assemblies: stages as they will be deployed, each synthesized once.

An assembly is what `cdk deploy --app FOLDER` takes:
https://docs.aws.amazon.com/cdk/v2/guide/deploy.html
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from config.cdk_cli import cdk_environment, run_cdk
from config.image_lock import ImagePin, read_image_lock, write_image_lock
from config.project import Project, Stage
from config.settings import ConfigurationError
from imagecheck.errors import FailedError
from imagecheck.terminal import step
from release.build.record import BUILD
from release.deploy.history import read_release
from release.errors import RefusedError

ASSEMBLY: Final = BUILD / "assembly"
"""Where `synth` leaves it, below the project's root."""
_ASSEMBLIES: Final = BUILD / "assemblies"
_MOST_KEPT: Final = 4
# All that the app reads. A file more costs a synth too many, a file less an assembly that is old.
_SOURCES: Final = (
    "app.py", "cdk.context.json", "cdk.json", "config", "constructs", "contract", "frontend",
    "imagecheck", "lambda_src", "package-lock.json", "requirements.txt", "stacks",
)  # fmt: skip


@dataclass(frozen=True)
class CloudAssembly:
    """The assembly in ``folder``, an absolute path."""

    folder: Path

    @property
    def exists(self) -> bool:
        """Whether a synth has left it there."""
        return (self.folder / "manifest.json").is_file()

    def template(self, stage: Stage) -> Path:
        """Return the template of a stage's rooms stack."""
        return self.folder / f"{stage.names.rooms_stack}.template.json"

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
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
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
    project: Project, stages: Sequence[Stage], folder: Path
) -> dict[str, ImagePin | None]:
    """Synthesize one assembly for all these stages, and return which image is pinned for each.

    A stage without one has its registry alone in it. What was in ``folder`` is replaced once the
    synth has succeeded. Raises FailedError when the CDK CLI fails, or ``folder`` cannot be written.
    """
    pins = read_image_lock(project.lock)
    context = {"stage": ",".join(stage.name for stage in stages), "packaging": "image"}
    _synthesize(project, context, folder)
    return {stage.name: pins.get(stage.name) for stage in stages}


def assembly_with_image(project: Project, stage: Stage, digest: str) -> CloudAssembly:
    """Return a stage's assembly with this image pinned: for the gates before the real pin.

    The lock file is not touched. Raises FailedError when the CDK CLI fails.
    """
    pin = ImagePin(
        digest=digest,
        architecture=stage.settings.architecture,
        # The origin of the image has no influence on how it is run.
        base_digest="sha256:" + "0" * 64,
        source_revision="",
        pinned_at="1970-01-01T00:00:00Z",
    )
    return assembly_of(project, stage, pin)


def assembly_of(
    project: Project, stage: Stage, pin: ImagePin | None, *, emergency: bool = False
) -> CloudAssembly:
    """Return a stage's assembly with this pin, or with a zip where that is None.

    It is synthesized where none is there that was made of the same files: so `check` and `boot`
    share one, and `deploy` and `page`. Raises FailedError when the CDK CLI fails.
    """
    context = _context(stage, pin, emergency=emergency)
    assembly = CloudAssembly(_folder(project, context, pin))
    if assembly.exists:
        os.utime(assembly.folder)
        return assembly
    with step(f"synthesizing {stage.name}"), tempfile.TemporaryDirectory(prefix="synth-") as lock:
        pins = Path(lock, "image-lock.json")
        write_image_lock(pins, {stage.name: pin} if pin else {})
        _synthesize(project, {**context, "imageLock": str(pins)}, assembly.folder)
    _prune(assembly.folder.parent)
    return assembly


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
        of_deployment = CloudAssembly(_folder(project, _context(stage, pin), pin))
        if of_deployment.exists:
            return of_deployment
    return assembly_with_image(project, stage, "sha256:" + "0" * 64)


def _context(stage: Stage, pin: ImagePin | None, *, emergency: bool = False) -> dict[str, str]:
    return {
        "stage": stage.name,
        "packaging": "image" if pin else "zip",
        **({"emergency": "true"} if emergency else {}),
    }


def _folder(project: Project, context: Mapping[str, str], pin: ImagePin | None) -> Path:
    return project.root / _ASSEMBLIES / _key(project, context, pin)


def _synthesize(project: Project, context: Mapping[str, str], folder: Path) -> None:
    """Synthesize into a folder, which is as it was when that fails.

    It names no account, whatever credentials are here: who deploys it decides.
    """
    new = folder.with_name(f"{folder.name}.{os.getpid()}.new")
    try:
        shutil.rmtree(new, ignore_errors=True)
        new.parent.mkdir(parents=True, exist_ok=True)
        arguments = ["synth", "--quiet", f"--output={new}"]
        run_cdk(project.root, arguments, context, environment=_without_credentials())
        shutil.rmtree(folder, ignore_errors=True)
        new.replace(folder)
    except OSError as error:
        raise FailedError(f"{folder} cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _key(project: Project, context: Mapping[str, str], pin: ImagePin | None) -> str:
    """Return a name that is another one when anything is that an assembly is made of."""
    digest = hashlib.sha256(json.dumps(context, sort_keys=True).encode())
    digest.update(msgspec.json.encode(pin))
    for name, path in _sources(project.root):
        digest.update(name.encode("utf-8", "surrogateescape") + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _sources(root: Path) -> Iterator[tuple[str, Path]]:
    for source in _SOURCES:
        path = root / source
        if path.is_file():
            yield source, path
        for folder, folders, files in os.walk(path):
            folders[:] = sorted(set(folders) - {"__pycache__", "node_modules"})
            for file in sorted(files):
                found = Path(folder, file)
                if found.is_file():
                    yield str(found.relative_to(root)), found


def _prune(folder: Path) -> None:
    """Keep the assemblies that were used last."""
    kept = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in kept[_MOST_KEPT:]:
        shutil.rmtree(path, ignore_errors=True)


def _without_credentials() -> dict[str, str]:
    environment = cdk_environment()
    ours = {name: value for name, value in environment.items() if not name.startswith("AWS_")}
    return {
        **ours,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


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
