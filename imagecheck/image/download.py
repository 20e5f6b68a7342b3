"""A blob from the network as a file to read from."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, TypeAlias

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError

from imagecheck.budget import Budget
from imagecheck.image.errors import ImageReadError
from imagecheck.image.http import in_words
from imagecheck.image.http_body import read_some, require_length

RESUMES = 2
"""How often a broken download is taken up again."""

Open: TypeAlias = Callable[[dict[str, str]], BaseHTTPResponse]
"""Asks for the blob with further headers; answers that have no blob raise errors."""

_CHUNK_BYTES = 256 * 1024
_PARTIAL_CONTENT = 206


@contextmanager
def download(open_: Open, size: int, host: str, budget: Budget | None = None) -> Iterator[BinaryIO]:
    """Read a blob that is said to have ``size`` bytes.

    At most one byte more than that is ever read, by which too long a blob is known.

    Raises:
        ImageReadError: while it is read, when the connection breaks for good, or the budget's time
            is over.

    """
    response = open_({})
    require_length(response, host)
    stream = _Stream(response, open_, size, host, budget)
    with stream, io.BufferedReader(stream, _CHUNK_BYTES) as reader:
        yield reader


class _Stream(io.RawIOBase):
    def __init__(
        self,
        response: BaseHTTPResponse,
        open_: Open,
        size: int,
        host: str,
        budget: Budget | None,
    ) -> None:
        self._budget = budget
        self._response = response
        self._open = open_
        self._host = host
        self._position = 0
        self._left = max(size, 0) + 1
        self._resumes = RESUMES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview[int]") -> int:  # type: ignore[override]
        wanted = min(len(buffer), self._left)
        if not wanted:
            return 0
        while True:
            if self._budget:
                self._budget.look_at_clock()
            try:
                data = read_some(self._response, wanted)
            except HTTPError as error:
                self._resume(error)
            else:
                break
        buffer[: len(data)] = data
        self._position += len(data)
        self._left -= len(data)
        return len(data)

    def close(self) -> None:
        self._response.close()
        super().close()

    def _resume(self, error: HTTPError) -> None:
        self._response.close()
        broken = f"{self._host} cannot be read to the end: {in_words(error)}"
        if not self._resumes:
            raise ImageReadError(f"{broken}, again and again") from None
        self._resumes -= 1
        if not self._position:
            self._response = self._open({})
            return
        # https://www.rfc-editor.org/rfc/rfc9110#name-range-requests
        self._response = self._open({"Range": f"bytes={self._position}-"})
        range_ = self._response.headers.get("Content-Range", "")
        if self._response.status != _PARTIAL_CONTENT or not range_.startswith(
            f"bytes {self._position}-"
        ):
            raise ImageReadError(f"{broken}, and it sends blobs from their start only") from None
