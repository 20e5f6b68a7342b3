"""A cloud assembly: stages as they will be deployed, synthesized once.

What `cdk deploy --app FOLDER` is given: https://docs.aws.amazon.com/cdk/v2/guide/deploy.html
"""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from release.assembly import cdk_environment, run_cdk
from release.deploy.history import read_release
from release.errors import CannotDoError, RefusedError
from release.lock import read_pins
from release.project import Project, Stage
from release.record import BUILD
from stacks.image_lock import ImagePin

ASSEMBLY: Final = BUILD / "assembly"
"""Where `synth` leaves it, below the project's root."""


@dataclass(frozen=True)
class CloudAssembly:
    """The assembly in ``folder``, an absolute path."""

    folder: Path

    def pin(self, stage: Stage) -> ImagePin:
        """Return which image it deploys to a stage.

        Raises:
            RefusedError: it was synthesized without that stage, or without an image for it.
            CannotDoError: there is no assembly, or it cannot be read.

        """
        if not (self.folder / "manifest.json").is_file():
            raise CannotDoError(
                f"there is no cloud assembly in {self.folder}:"
                f" run `python -m release synth {stage.name}`"
            )
        template = self.folder / f"{stage.names.rooms_stack}.template.json"
        try:
            resources = json.loads(template.read_text(encoding="utf-8"))["Resources"].values()
            (value,) = (_value(one, stage) for one in resources if _is_release(one, stage))
            pin = read_release(value)
        except FileNotFoundError:
            raise RefusedError(
                f"the cloud assembly in {self.folder} was synthesized without {stage.name}, or"
                f" before an image was pinned for it: run `python -m release synth {stage.name}`"
            ) from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise CannotDoError(
                f"{template} is no template of this project ({error}): synthesize again"
            ) from None
        if pin is None:
            raise RefusedError(
                f"the cloud assembly in {self.folder} deploys a zip to {stage.name}, not an image:"
                " synthesize it with `python -m release synth`"
            )
        return pin


def synthesize(
    project: Project, stages: Sequence[Stage], folder: Path
) -> dict[str, ImagePin | None]:
    """Synthesize one assembly for all these stages, and return which image is pinned for each.

    A stage without one has its registry alone in it.

    It names no account, whatever credentials are here: each stage's own say which it is deployed
    to. What was in ``folder`` is replaced once it has succeeded.

    Raises CannotDoError when the CDK CLI fails, or ``folder`` cannot be written.
    """
    pins = read_pins(project)
    new = folder.with_name(f"{folder.name}.new")
    try:
        shutil.rmtree(new, ignore_errors=True)
        new.parent.mkdir(parents=True, exist_ok=True)
        context = {"stage": ",".join(stage.name for stage in stages), "packaging": "image"}
        run_cdk(
            project,
            ["synth", "--quiet", f"--output={new}"],
            context,
            environment=_without_credentials(),
        )
        shutil.rmtree(folder, ignore_errors=True)
        new.replace(folder)
    except OSError as error:
        raise CannotDoError(f"{folder} cannot be written: {error.strerror}") from None
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return {stage.name: pins.get(stage.name) for stage in stages}


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
        raise msgspec.ValidationError(f"{stage.names.release_parameter} is no text")
    return value
