"""A cache of the facts of layers, by digest: the next image on the same base is read faster.

A digest names bytes, so what is kept never goes stale; only the form in which it is kept can.
"""

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from imagecheck.image.layer import Layer

# Counted up when the meaning of a kept field changes, so that nothing old is taken for new.
_FORM = "2"
MAX_BYTES: Final = 512 * 1024**2

_T = TypeVar("_T")


def default_folder() -> Path | None:
    """Return the folder of the cache; None for a user without a home.

    https://specifications.freedesktop.org/basedir-spec/latest/
    """
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not base.is_absolute():
        try:
            base = Path.home() / ".cache"
        except RuntimeError:
            return None
    return base / "hima-five-bomber" / "layers"


class LayerCache:
    """Layers, and files of them, by the digest of the compressed layer.

    A cache that cannot be read or written only makes reading slower: nothing is raised. When it is
    larger than ``MAX_BYTES``, what was not asked for the longest goes.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder / _FORM if folder else None
        self._size: int | None = None

    def layer(self, digest: str) -> Layer | None:
        """Return what is known of a layer."""
        return self._load(digest, "layer", Layer)

    def keep_layer(self, digest: str, layer: Layer) -> None:
        """Remember a layer that was read to its end and found to be of that digest."""
        self._save(digest, "layer", layer)

    def was_seen(self, digest: str, stamp: str) -> bool:
        """Whether a local file of that stamp was read to its end and found to be of that digest."""
        return bool(stamp) and self._load(digest, "seen", str) == stamp

    def keep_seen(self, digest: str, stamp: str) -> None:
        """Remember a local file that was read to its end and found to be of that digest."""
        if stamp:
            self._save(digest, "seen", stamp)

    def files(self, digest: str) -> dict[str, bytes]:
        """Return the starts of the files that were read from a layer, by path."""
        return self._load(digest, "files", dict[str, bytes]) or {}

    def keep_files(self, digest: str, files: dict[str, bytes]) -> None:
        """Remember files of a layer, beside those that are remembered already."""
        self._save(digest, "files", self.files(digest) | files)

    def _load(self, digest: str, what: str, type_: type[_T]) -> _T | None:
        if self._folder is None:
            return None
        path = self._folder / _name(digest, what)
        try:
            value = msgspec.msgpack.decode(path.read_bytes(), type=type_)
            os.utime(path)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        return value

    def _save(self, digest: str, what: str, value: Any) -> None:
        if self._folder is None:
            return
        content = msgspec.msgpack.encode(value)
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._make_room(self._folder, len(content))
            with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as file:
                try:
                    file.write(content)
                    file.flush()
                    Path(file.name).replace(self._folder / _name(digest, what))
                except BaseException:
                    Path(file.name).unlink(missing_ok=True)
                    raise

    def _make_room(self, folder: Path, size: int) -> None:
        if self._size is not None and self._size + size <= MAX_BYTES:
            self._size += size
            return
        found = [(path, path.stat()) for path in folder.iterdir()]
        left = MAX_BYTES - size - sum(status.st_size for _, status in found)
        for path, status in sorted(found, key=lambda file: file[1].st_mtime):
            if left >= 0:
                break
            path.unlink(missing_ok=True)
            left += status.st_size
        self._size = MAX_BYTES - left


def _name(digest: str, what: str) -> str:
    return f"{digest.removeprefix('sha256:')}.{what}"
