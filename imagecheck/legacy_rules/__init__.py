"""Rules that have no file of their own yet."""

from imagecheck.legacy_rules import (
    drift,
    manifest,
    process,
    reference,
    spawn,
)
from imagecheck.legacy_rules.legacy import LegacyRule

LEGACY_RULES: tuple[LegacyRule, ...] = (
    *reference.RULES,
    *manifest.RULES,
    *spawn.RULES,
    *process.RULES,
    *drift.RULES,
)
