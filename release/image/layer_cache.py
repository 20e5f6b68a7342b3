"""What was learned of a layer is kept by its digest, so that the next image on it is read faster.

A digest names bytes, so what is kept never goes stale; only the form in which it is kept can.
"""

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from release.image.layer import Layer

# Counted up when the meaning of a kept field changes, so that nothing old is taken for new.
_FORM = "1"
_MAX_BYTES = 512 * 1024**2

_T = TypeVar("_T")


def default_folder() -> Path:
    """Return where the cache is: https://specifications.freedesktop.org/basedir-spec/latest/."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "hima-five-bomber" / "layers"


class LayerCache:
    """Layers, and files of them, by the digest of the compressed layer.

    A cache that cannot be read or written only makes reading slower: nothing is raised.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / _FORM

    def layer(self, digest: str) -> Layer | None:
        """Return what is known of a layer."""
        return self._load(digest, "layer", Layer)

    def keep_layer(self, digest: str, layer: Layer) -> None:
        """Remember a layer that was read to its end and found to be of that digest."""
        self._save(digest, "layer", layer)

    def files(self, digest: str) -> dict[str, bytes]:
        """Return the starts of the files that were read from a layer, by path."""
        return self._load(digest, "files", dict[str, bytes]) or {}

    def keep_files(self, digest: str, files: dict[str, bytes]) -> None:
        """Remember files of a layer, beside those that are remembered already."""
        self._save(digest, "files", self.files(digest) | files)

    def _path(self, digest: str, what: str) -> Path:
        return self._folder / f"{digest.removeprefix('sha256:')}.{what}"

    def _load(self, digest: str, what: str, type_: type[_T]) -> _T | None:
        path = self._path(digest, what)
        try:
            content = path.read_bytes()
            return msgspec.msgpack.decode(content, type=type_)
        except (OSError, msgspec.DecodeError):
            return None

    def _save(self, digest: str, what: str, value: Any) -> None:
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as file:
                try:
                    file.write(msgspec.msgpack.encode(value))
                    Path(file.name).replace(self._path(digest, what))
                except BaseException:
                    Path(file.name).unlink(missing_ok=True)
                    raise
