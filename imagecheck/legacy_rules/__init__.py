"""Rules that have no file of their own yet."""

from imagecheck.legacy_rules import (
    drift,
    manifest,
    reference,
)
from imagecheck.legacy_rules.legacy import LegacyRule

LEGACY_RULES: tuple[LegacyRule, ...] = (
    *reference.RULES,
    *manifest.RULES,
    *drift.RULES,
)
