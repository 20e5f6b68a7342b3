"""Source files of layers that are kept before they are asked for.

What a module imports is known when it was read, and so a handler's files are asked for in several
turns. Each would read the layer from its start: gzip cannot be entered in the middle.
"""

import contextlib
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from typing import IO, Final

MAX_BYTES: Final = 256 * 1024**2
"""The most that is kept of one image, on disk."""
MAX_FILES: Final = 100_000
"""The most files that are kept of one image."""
_MAX_FILE_BYTES: Final = 256 * 1024
_SOURCES: Final = (".py", ".pth", ".js", ".cjs", ".mjs", ".json", ".sh")


class PrefetchedFiles:
    """Files by layer and path, all in one temporary file that goes with ``close``.

    Where there is no room for them, they are left out: nothing is raised.
    """

    def __init__(self) -> None:
        self._places: dict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
        self._file: IO[bytes] | None = None
        self._end = 0
        self._left = MAX_FILES

    def wants(self, path: str, size: int) -> bool:
        """Whether a file of that size is one to keep."""
        return (
            path.endswith(_SOURCES)
            and size <= min(_MAX_FILE_BYTES, MAX_BYTES - self._end)
            and self._left > 0
        )

    def keep(self, layer: str, path: str, content: bytes) -> None:
        """Keep the whole of a file; of two at one path the later one counts."""
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="lambda-image-check-")  # noqa: SIM115
            self._file.seek(self._end)
            self._file.write(content)
        except OSError:
            self.close()
            self._left = 0
            return
        self._places[layer][path] = (self._end, len(content))
        self._end += len(content)
        self._left -= 1

    def take(self, layer: str, limits: Mapping[str, int]) -> dict[str, bytes]:
        """Return those of the files that are here, each cut off after its limit of bytes."""
        found: dict[str, bytes] = {}
        places = self._places[layer]
        try:
            for path in limits.keys() & places.keys():
                if self._file is not None:
                    start, size = places[path]
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
