"""Gzip streams, inflated by ISA-L where it is installed: it takes half the time of zlib."""

import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from types import ModuleType
from typing import Any, Final

from imagecheck.image.errors import DamagedImageError

FASTEST: ModuleType = zlib
"""The library that inflates. ISA-L has no wheels for every machine."""
with suppress(ImportError):
    FASTEST = import_module("isal.isal_zlib")

GZIP_MAGIC: Final = b"\x1f\x8b"
PIECE_BYTES: Final = 512 * 1024
"""The most that a piece of inflated bytes has."""
_ERRORS: tuple[type[Exception], ...] = (zlib.error, FASTEST.error)
_GZIP = zlib.MAX_WBITS | 16


class BrokenGzipError(DamagedImageError):
    """It is not a gzip stream to its end."""


def gunzip(
    start: bytes, read: Callable[[], bytes], library: ModuleType = FASTEST
) -> Iterator[bytes]:
    """Inflate one gzip stream after the other, never more than a piece ahead.

    ``start`` are the first bytes, and ``read`` gives the next ones, none at the end.

    Raises BrokenGzipError.
    """
    chunk = start or read()
    try:
        while chunk:
            stream: Any = library.decompressobj(_GZIP)
            while not stream.eof:
                piece = stream.decompress(chunk, PIECE_BYTES)
                chunk = stream.unconsumed_tail
                if piece:
                    yield piece
                if not chunk and len(piece) < PIECE_BYTES and not stream.eof:
                    chunk = read()
                    if not chunk:
                        raise BrokenGzipError("the gzip stream is cut off")
            chunk = stream.unused_data or read()
    except _ERRORS as error:
        raise BrokenGzipError(f"the gzip stream is broken: {error}") from error
