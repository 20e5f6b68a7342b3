"""Rules that have no file of their own yet."""

from imagecheck.legacy_rules import (
    drift,
    extensions,
    handler,
    manifest,
    process,
    reference,
    spawn,
    template,
)
from imagecheck.legacy_rules.legacy import LegacyRule

LEGACY_RULES: tuple[LegacyRule, ...] = (
    *reference.RULES,
    *manifest.RULES,
    *spawn.RULES,
    *extensions.RULES,
    *process.RULES,
    *handler.RULES,
    *template.RULES,
    *drift.RULES,
)
