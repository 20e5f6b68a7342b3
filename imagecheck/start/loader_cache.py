"""Reads ld.so.cache, in which glibc's loader looks libraries up.

https://sourceware.org/git/?p=glibc.git;a=blob;f=sysdeps/generic/dl-cache.h
"""

import struct
from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from imagecheck.image.elf import AARCH64, X86_64

PATH: Final = "/etc/ld.so.cache"
_OLD = b"ld.so-1.7.0\0"
_NEW = b"glibc-ld.so.cache1.1"
_HEADER = struct.Struct("<20sIIB3xI12x")
_ENTRY = struct.Struct("<iIIIQ")
_OLD_ENTRY = struct.Struct("<iII")
_MAX_ENTRIES = 100_000
_MAX_NAME = 4096
_FLAGS: Final = {X86_64: 0x0303, AARCH64: 0x0A03}
"""What a library of that CPU is marked with: ``FLAG_X8664_LIB64``, ``FLAG_AARCH64_LIB64``, both
with ``FLAG_ELF_LIBC6``."""


def read_cache(content: bytes, machine: int) -> Mapping[str, list[str]] | None:
    """Return the paths of the libraries for a CPU, by their names; None for what is not a cache."""
    start = _start(content)
    if start is None or len(content) < start + _HEADER.size:
        return None
    _, count, _, _, _ = _HEADER.unpack_from(content, start)
    found: dict[str, list[str]] = defaultdict(list)
    for number in range(min(count, _MAX_ENTRIES)):
        at = start + _HEADER.size + number * _ENTRY.size
        if at + _ENTRY.size > len(content):
            return None
        flags, key, value, _, _ = _ENTRY.unpack_from(content, at)
        if flags == _FLAGS.get(machine):
            found[_text(content, start + key)].append(_text(content, start + value))
    return found


def _start(content: bytes) -> int | None:
    """Find the form that is read today; an older one may stand before it."""
    if content.startswith(_NEW):
        return 0
    if not content.startswith(_OLD) or len(content) < 16:  # noqa: PLR2004  (its header)
        return None
    (count,) = struct.unpack_from("<I", content, 12)
    # It is aligned to eight bytes.
    at = -(-(16 + count * _OLD_ENTRY.size) // 8) * 8
    return at if content.startswith(_NEW, at) else None


def _text(content: bytes, at: int) -> str:
    end = content.find(b"\0", at, at + _MAX_NAME)
    return content[at : end if end >= 0 else at].decode("utf-8", "replace")
