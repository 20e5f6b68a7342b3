"""The rules, one file each; adding one adds a file here and its test, and nothing else."""

import pkgutil
import re
from importlib import import_module
from typing import Final

from imagecheck.legacy_rules.rows import ROWS
from imagecheck.rule import Rule


def _load() -> tuple[Rule, ...]:
    names = (f"{__name__}.{found.name}" for found in pkgutil.iter_modules(__path__))
    rules = (import_module(name).RULE for name in names)
    return tuple(sorted(rules, key=lambda rule: _place(rule.id)))


def _place(rule_id: str) -> tuple[str, int]:
    letter, number = re.fullmatch(r"([A-Z])(\d+)", rule_id).groups()  # type: ignore[union-attr]
    return letter, int(number)


RULES: Final = _load()
"""All of them, by letter and number."""
# Until each rule has a file of its own.
_LEGACY = {
    id_: Rule(
        id=id_, title=row.title, severity="error", error_type=row.error_type, when=row.when,
        why="", fix="", source="", bad="", good="", check=lambda _: iter(()),
    )
    for id_, row in ROWS.items()
}  # fmt: skip
_KNOWN = _LEGACY | {rule.id: rule for rule in RULES}
BY_ID: Final[dict[str, Rule]] = {id_: _KNOWN[id_] for id_ in sorted(_KNOWN, key=_place)}
