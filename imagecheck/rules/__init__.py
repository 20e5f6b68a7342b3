"""The rules, one file each; adding one adds a file here and its test, and nothing else."""

import pkgutil
import re
from importlib import import_module
from typing import Final

from imagecheck.rule import Rule


def _load() -> tuple[Rule, ...]:
    names = (f"{__name__}.{found.name}" for found in pkgutil.iter_modules(__path__))
    rules = (import_module(name).RULE for name in names)
    return tuple(sorted(rules, key=_place))


def _place(rule: Rule) -> tuple[str, bool, int]:
    letter, number = re.fullmatch(r"([A-Z])(\d+)", rule.id).groups()  # type: ignore[union-attr]
    return letter, not rule.is_first, int(number)


RULES: Final = _load()
"""All of them, by letter and number; what Lambda looks for first comes first."""
BY_ID: Final = {rule.id: rule for rule in RULES}
