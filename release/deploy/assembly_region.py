"""The Region that a cloud assembly was synthesized for."""

from typing import Final

import msgspec

from config.json_file import DamagedFileError, read_json_file
from config.project import Stage
from imagecheck.errors import FailedError
from release.cloud_assembly import CloudAssembly
from release.errors import RefusedError

# Of a stack that names no Region: the CDK CLI deploys it to that of the environment.
_UNKNOWN: Final = "unknown-region"


class _Artifact(msgspec.Struct, frozen=True):
    type: str
    environment: str = ""


class _Manifest(msgspec.Struct, frozen=True):
    artifacts: dict[str, _Artifact] = {}


def require_region(assembly: CloudAssembly, stage: Stage) -> None:
    """Require that a stage's stacks go to its Region: ``cdk.json`` may have changed since then.

    The guard stack has a Region of its own, the same for every stage.

    Raises:
        RefusedError: they would go to another.
        FailedError: there is no assembly, or its manifest is damaged.

    """
    synth = f"python -m release synth {stage.name}"
    if not assembly.exists:
        raise FailedError(f"there is no cloud assembly in {assembly.folder}", hint=synth)
    path = assembly.folder / "manifest.json"
    try:
        artifacts = read_json_file(path, _Manifest).artifacts.items()
    except (FileNotFoundError, DamagedFileError) as error:
        raise FailedError(
            f"{path} is not the manifest of a cloud assembly: {error}", hint=synth
        ) from error
    for name, artifact in artifacts:
        if artifact.type != "aws:cloudformation:stack" or not name.startswith(
            f"{stage.names.prefix}-"
        ):
            continue
        region = artifact.environment.rpartition("/")[2]
        if name != stage.names.guard_stack and region not in {_UNKNOWN, stage.region}:
            raise RefusedError(
                f"the cloud assembly in {assembly.folder} was synthesized for {region}, and"
                f" {stage.name} is in {stage.region}",
                hint=synth,
            )
