"""Source files of a layer that are read before anybody asks for them.

What a module imports is known when it was read, and so a handler's files are asked for in several
turns. Each would read the layer from its start: gzip cannot be entered in the middle.
"""

import contextlib
import tempfile
from collections.abc import Mapping
from typing import IO, Final

MAX_BYTES: Final = 256 * 1024**2
"""The most that is kept of one layer, on disk."""
MAX_FILES: Final = 100_000
"""The most files that are kept of one layer."""
_MAX_FILE_BYTES: Final = 256 * 1024
_SOURCES: Final = (".py", ".pth", ".js", ".cjs", ".mjs", ".json", ".sh")


class ReadAhead:
    """Files of one layer by their paths, in a temporary file that goes with ``close``.

    Where there is no room for them, they are left out: nothing is raised.
    """

    def __init__(self) -> None:
        self._places: dict[str, tuple[int, int]] = {}
        self._file: IO[bytes] | None = None
        self._end = 0
        with contextlib.suppress(OSError):
            self._file = tempfile.TemporaryFile(prefix="lambda-image-check-")  # noqa: SIM115

    def wants(self, path: str, size: int) -> bool:
        """Whether a file of that size is one to keep."""
        return (
            self._file is not None
            and path.endswith(_SOURCES)
            and size <= min(_MAX_FILE_BYTES, MAX_BYTES - self._end)
            and len(self._places) < MAX_FILES
        )

    def keep(self, path: str, content: bytes) -> None:
        """Keep the whole of a file; of two at one path the later one counts."""
        if self._file is None:
            return
        try:
            self._file.seek(self._end)
            self._file.write(content)
        except OSError:
            self.close()
            return
        self._places[path] = (self._end, len(content))
        self._end += len(content)

    def take(self, limits: Mapping[str, int]) -> dict[str, bytes]:
        """Return those of the files that are here, each cut off after its limit of bytes."""
        found: dict[str, bytes] = {}
        try:
            for path in limits.keys() & self._places.keys():
                if self._file is not None:
                    start, size = self._places[path]
                    self._file.seek(start)
                    found[path] = self._file.read(min(size, limits[path]))
        except OSError:
            self.close()
        return found

    def close(self) -> None:
        """Forget all files."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
        self._file = None
        self._places.clear()
