"""The settings of the stage that players use, from ``cdk.json``."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from config.settings import read_settings

if TYPE_CHECKING:
    from config.settings import StageSettings

NAME: Final = "prd"
_CDK_JSON: Final = Path(__file__).parents[2] / "cdk.json"


@cache
def stage() -> StageSettings:
    """Return the settings of ``prd``."""
    context = json.loads(_CDK_JSON.read_text(encoding="utf-8"))["context"]
    return read_settings(context["stages"], NAME)
