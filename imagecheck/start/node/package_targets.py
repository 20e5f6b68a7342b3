"""The targets of ``exports`` and ``imports`` in a package.json.

https://nodejs.org/api/esm.html#resolution-algorithm-specification
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

_INVALID = re.compile(r"(?:^|[/\\])(?:\.\.?|node_modules)(?:[/\\]|$)", re.IGNORECASE)
_MAX_DEPTH = 50


class NotExportedError(Exception):
    """The package does not have it."""


class UnknownConditionError(Exception):
    """It depends on something that is not known."""


@dataclass(frozen=True)
class Conditions:
    """Which conditions hold."""

    held: Collection[str]
    unsure: Collection[str] = ()
    """Conditions of which it is not known whether they hold."""


def target_of_exports(exports: Any, subpath: str, conditions: Conditions) -> str:
    """Return what ``exports`` has for a subpath such as ``.`` or ``./lib``.

    Raises NotExportedError, and UnknownConditionError where the conditions are not known.
    """
    if not isinstance(exports, Mapping) or not any(key.startswith(".") for key in exports):
        if subpath != ".":
            raise NotExportedError
        return _found(_Choice(conditions, "").of(exports))
    return _of_map(exports, subpath, conditions, is_import=False)


def target_of_imports(imports: Any, name: str, conditions: Conditions) -> str:
    """Return what ``imports`` has for a name such as ``#db``. Raises as target_of_exports."""
    if not isinstance(imports, Mapping):
        raise NotExportedError
    return _of_map(imports, name, conditions, is_import=True)


def _of_map(
    targets: Mapping[str, Any], key: str, conditions: Conditions, *, is_import: bool
) -> str:
    if key in targets and "*" not in key and not key.endswith("/"):
        return _found(_Choice(conditions, "", is_import=is_import).of(targets[key]))
    best, best_match = "", ""
    for pattern in targets:
        before, star, after = pattern.partition("*")
        if (
            star
            and key.startswith(before)
            and key != before
            and key.endswith(after)
            and len(key) >= len(pattern)
            and (len(before), len(pattern)) > (len(best.partition("*")[0]), len(best))
        ):
            best, best_match = pattern, key[len(before) : len(key) - len(after)]
    if not best:
        raise NotExportedError
    return _found(_Choice(conditions, best_match, is_import=is_import).of(targets[best]))


def _found(target: str | None) -> str:
    if target is None:
        raise NotExportedError
    return target


@dataclass(frozen=True)
class _Choice:
    """Chooses among targets."""

    conditions: Conditions
    match: str
    """What stands for the star."""
    is_import: bool = False

    def of(self, target: Any, depth: int = 0) -> str | None:
        """Return the target; None where no condition holds, and for a target of null."""
        if depth > _MAX_DEPTH:
            raise UnknownConditionError
        if isinstance(target, str):
            return self._text(target)
        if isinstance(target, list):
            return self._first(target, depth)
        return self._held(target, depth) if isinstance(target, Mapping) else None

    def _text(self, target: str) -> str:
        is_own = target.startswith("./")
        if not is_own and (not self.is_import or target.startswith(("../", "/"))):
            raise NotExportedError
        if is_own and (_INVALID.search(target[2:]) or _INVALID.search(self.match)):
            raise NotExportedError
        return target.replace("*", self.match) if self.match else target

    def _first(self, targets: list[Any], depth: int) -> str | None:
        for one in targets:
            try:
                found = self.of(one, depth + 1)
            except NotExportedError:
                continue
            if found is not None:
                return found
        return None

    def _held(self, target: Mapping[str, Any], depth: int) -> str | None:
        for condition, value in target.items():
            if condition in self.conditions.unsure:
                raise UnknownConditionError
            if condition != "default" and condition not in self.conditions.held:
                continue
            found = self.of(value, depth + 1)
            if found is not None or not isinstance(value, Mapping):
                return found
        return None
