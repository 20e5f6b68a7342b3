"""A property that says how a resource keeps its data, and when a change of it is worth telling."""

import math
from dataclasses import dataclass
from typing import Any, Final, Literal

from release.pipeline.changes.values import is_same

FOR_EVER: Final = math.inf


@dataclass(frozen=True, kw_only=True)
class KeptProperty:
    """A property, and what it means where it becomes worse.

    ``when``: ``less`` is a number that falls; ``off`` and ``on`` are switches, or words such as
    ``Enabled`` (the first of ``words``, where the property has words); ``gone`` is removed;
    ``changed`` has another value; ``new`` has another value, and is there. ``default`` is what AWS
    takes where the template has nothing. ``loses``: by that, what is stored is deleted or cannot be
    read; otherwise it is less protected. ``source`` is AWS's page.
    """

    path: str
    when: Literal["less", "off", "on", "gone", "changed", "new"]
    means: str
    source: str
    loses: bool = False
    default: Any = None
    words: tuple[str, ...] = ()

    def is_worse(self, old: Any, new: Any) -> bool:
        """Whether this change is one to tell of; one that cannot be known is."""
        if is_same(old, new):
            return False
        if self.when == "gone":
            return new is None
        if self.when in {"changed", "new"}:
            return self.when == "changed" or new is not None
        old, new = (self.default if value is None else value for value in (old, new))
        if self.when == "less":
            return _is_less(old, new)
        was, is_ = self._is_on(old), self._is_on(new)
        if was is None or is_ is None:
            return True
        return (was, is_) == ((True, False) if self.when == "off" else (False, True))

    def _is_on(self, value: Any) -> bool | None:
        """Return None where a template does not say it."""
        if isinstance(value, dict):
            return None
        return value in self.words if self.words else str(value).lower() == "true"


def _is_less(old: Any, new: Any) -> bool:
    try:
        return float(new) < float(old)
    except (TypeError, ValueError):
        return not is_same(old, new)
