"""The Region that a cloud assembly was synthesized for."""

import json
from typing import Final

from config.project import Stage
from imagecheck.errors import FailedError
from release.cloud_assembly import CloudAssembly
from release.errors import RefusedError

# Of a stack that names no Region: the CDK CLI deploys it to that of the environment.
_UNKNOWN: Final = "unknown-region"


def require_region(assembly: CloudAssembly, stage: Stage) -> None:
    """Require that a stage's stacks go to its Region: ``cdk.json`` may have changed since then.

    Raises:
        RefusedError: they would go to another.
        FailedError: there is no assembly.

    """
    synth = f"python -m release synth {stage.name}"
    if not assembly.exists:
        raise FailedError(f"there is no cloud assembly in {assembly.folder}", hint=synth)
    manifest = json.loads((assembly.folder / "manifest.json").read_text(encoding="utf-8"))
    for name, artifact in manifest.get("artifacts", {}).items():
        if artifact["type"] != "aws:cloudformation:stack" or not name.startswith(
            f"{stage.names.prefix}-"
        ):
            continue
        region = artifact["environment"].rpartition("/")[2]
        if region not in {_UNKNOWN, stage.region}:
            raise RefusedError(
                f"the cloud assembly in {assembly.folder} was synthesized for {region}, and"
                f" {stage.name} is in {stage.region}",
                hint=synth,
            )
