"""The least work to read a layer: inflate it, and hash the bytes before and after.

``python -m benchmarks.image_reader.floor LIBRARY FILE``; the library inflates.
"""

import hashlib
import sys
from importlib import import_module
from pathlib import Path

from imagecheck.image.gunzip import gunzip

_CHUNK_BYTES = 256 * 1024


def main(library: str, path: str) -> None:
    """Print both digests."""
    stored, content = hashlib.sha256(), hashlib.sha256()
    with Path(path).open("rb") as file:

        def read() -> bytes:
            chunk = file.read(_CHUNK_BYTES)
            stored.update(chunk)
            return chunk

        for piece in gunzip(b"", read, import_module(library)):
            content.update(piece)
    print(stored.hexdigest(), content.hexdigest())


if __name__ == "__main__":
    main(*sys.argv[1:])
