"""Asking several sources, of which each may fail by itself."""

import threading
from collections.abc import Callable
from typing import Final, TypeVar

from imagecheck.image.errors import CannotLookError
from release.aws import aws_errors
from release.diagnosis.facts import ABSENT, Absent, Unseen
from release.errors import CannotDoError

_T = TypeVar("_T")

NOT_THERE: Final = frozenset(
    {
        "ApplicationDoesNotExistException",
        "DeploymentGroupDoesNotExistException",
        "ParameterNotFound",
        "ResourceNotFoundException",
    }
)
"""What services answer for a thing that is not there."""


class Looking:
    """Notes what could not be seen; sources may be asked from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._unseen: list[Unseen] = []
        self._seen: list[str] = []

    @property
    def unseen(self) -> tuple[Unseen, ...]:
        """The sources that could not be asked."""
        return tuple(self._unseen)

    @property
    def has_seen_something(self) -> bool:
        """Whether any source answered, be it that there is no such thing."""
        return bool(self._seen)

    def at(self, source: str, ask: Callable[[], _T]) -> _T | None:
        """Ask; None, and noted, when that cannot be done."""
        try:
            with aws_errors(source):
                answer = ask()
        except (CannotDoError, CannotLookError) as error:
            self.note(source, str(error).removeprefix(f"{source}: "))
            return None
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            # An answer without what its API documents; emulators give some.
            self.note(source, f"its answer has another form than expected ({type(error).__name__})")
            return None
        with self._lock:
            self._seen.append(source)
        return answer

    def maybe(self, source: str, ask: Callable[[], _T]) -> _T | Absent | None:
        """Ask for something that may not be there."""
        # It takes half a second to import, and this module is read before anything is asked.
        from botocore.exceptions import ClientError  # noqa: PLC0415

        def ask_or_absent() -> _T | Absent:
            try:
                return ask()
            except ClientError as error:
                if error.response["Error"]["Code"] in NOT_THERE:
                    return ABSENT
                raise

        return self.at(source, ask_or_absent)

    def note(self, source: str, why: str) -> None:
        """Note that a source could not be asked."""
        with self._lock:
            self._unseen.append(Unseen(source, why))
