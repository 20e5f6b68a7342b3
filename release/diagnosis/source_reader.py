"""A reader of several sources, each of which may fail by itself."""

import threading
from collections.abc import Callable
from typing import Any, Final, Protocol, TypeVar

from imagecheck.errors import CommandError
from imagecheck.image.aws import aws_errors
from release.diagnosis.facts import ABSENT, Absent, UnreadSource

_T = TypeVar("_T")

NOT_THERE: Final = frozenset(
    {
        "ApplicationDoesNotExistException",
        "DeploymentGroupDoesNotExistException",
        "ParameterNotFound",
        "ResourceNotFoundException",
    }
)
"""The error codes of services for a thing that does not exist."""


class Clients(Protocol):
    """Makes boto3 clients. Raises FailedError."""

    def __call__(self, service: str, *, once_within: float | None = None) -> Any:
        """Return a client; one that asks only once, and waits so many seconds, where given."""
        ...


class SourceReader:
    """Reads sources, and collects those that could not be read. Threads may share one."""

    def __init__(self, clients: Clients) -> None:
        self.clients = clients
        self._lock = threading.Lock()
        self._unread: list[UnreadSource] = []
        self._answers = 0

    @property
    def unread(self) -> tuple[UnreadSource, ...]:
        """The sources that could not be read."""
        return tuple(self._unread)

    @property
    def has_answer(self) -> bool:
        """Whether any source answered, even if only that there is no such thing."""
        return self._answers > 0

    def client(self, service: str, source: str, *, once_within: float | None = None) -> Any:
        """Return a boto3 client, as ``Clients`` does; None, and a note, when there is none."""
        try:
            return self.clients(service, once_within=once_within)
        except CommandError as error:
            self.note(source, error.message.removeprefix(f"{service}: "), error.hint)
            return None

    def read(self, source: str, query: Callable[[], _T]) -> _T | None:
        """Return the answer of a query; None, and a note, when it cannot be made."""
        try:
            with aws_errors(source):
                answer = query()
        except CommandError as error:
            self.note(source, error.message.removeprefix(f"{source}: "), error.hint)
            return None
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            # An answer without what its API documents; emulators give some.
            self.note(source, f"unexpected form of the answer ({type(error).__name__})")
            return None
        with self._lock:
            self._answers += 1
        return answer

    def read_optional(self, source: str, query: Callable[[], _T]) -> _T | Absent | None:
        """Return the answer of a query; ABSENT when there is no such thing."""
        # It takes half a second to import, and this module is read before anything is asked.
        from botocore.exceptions import ClientError  # noqa: PLC0415

        def absent_or_answer() -> _T | Absent:
            try:
                return query()
            except ClientError as error:
                if error.response["Error"]["Code"] in NOT_THERE:
                    return ABSENT
                raise

        return self.read(source, absent_or_answer)

    def note(self, source: str, why: str, hint: str | None = None) -> None:
        """Note that a source could not be read."""
        with self._lock:
            self._unread.append(UnreadSource(source, why, hint))
