"""The context of ``cdk.json``, as the CDK CLI hands it to the app."""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
CDK_JSON: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))
STAGES = list(CDK_JSON["context"]["stages"])
GITHUB = {
    "owner": "octo-org",
    "ownerId": "123456",
    "repository": "octo-repo",
    "repositoryId": "456789",
}
PINNED = "tests/stacks/image-lock.json"


def context(**changed: Any) -> dict[str, Any]:
    """Return the context with some keys changed, and with every stage pinned.

    No files are put together for upload, as with ``cdk list``: templates do not show them.
    """
    nothing_bundled: dict[str, Any] = {"aws:cdk:bundling-stacks": []}
    return {**CDK_JSON["context"], **nothing_bundled, "imageLock": PINNED, **changed}
