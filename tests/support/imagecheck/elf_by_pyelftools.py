"""Reads ELF files by pyelftools, to hold the own reader against it.

Only program headers and the dynamic segment count: section headers may be stripped.
https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html; versions:
https://refspecs.linuxfoundation.org/LSB_5.0.0/LSB-Core-generic/LSB-Core-generic/symversion.html
"""

import io
import itertools
import struct
from collections.abc import Iterator
from typing import Any, BinaryIO, Final, cast

import msgspec
from elftools.common.exceptions import ELFError
from elftools.common.utils import parse_cstring_from_stream, struct_parse
from elftools.construct.core import ConstructError
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.segments import InterpSegment

from imagecheck.image.elf import AARCH64, X86_64, Elf, NeededVersion

HEAD_BYTES: Final = 16 * 1024 * 1024
"""How much of a file is kept while it is read. What is looked for lies at the start of the file,
but for the dynamic segment, whose place the start tells."""
MAX_DYNAMIC_BYTES: Final = 64 * 1024
# fs/binfmt_elf.c, load_elf_phdrs.
_MAX_PROGRAM_HEADER_BYTES = 65536
_MIN_PATH, _MAX_PATH = 2, 4096
_MAX_ENTRIES = 4096
# What is looked for takes a hundredth of it; names without end would take all memory.
_MAX_READ_BYTES = 2 * 1024**2
_VERSION_IS_WEAK = 2
_DAMAGE = (
    ELFError, ConstructError, struct.error, ValueError, OverflowError, AttributeError,
    AssertionError, LookupError, TypeError,
)  # fmt: skip


def dynamic_segment(head: bytes) -> tuple[int, int]:
    """Return where the dynamic segment is: its offset and size in bytes; zeros for nowhere."""
    try:
        for segment in _open(head).iter_segments("PT_DYNAMIC"):
            return segment.header.p_offset, min(segment.header.p_filesz, MAX_DYNAMIC_BYTES)
    except _DAMAGE:
        pass
    return 0, 0


def read_elf(head: bytes, size: int, dynamic: tuple[int, bytes] = (0, b"")) -> Elf:
    """Read a file that starts with ``MAGIC``; what is damaged in it is left out.

    ``head`` is the start of the file and ``size`` the length of the whole in bytes; ``dynamic`` is
    the offset and the content of the dynamic segment where it lies behind ``head``.
    """
    machine = int.from_bytes(head[18:20], "little")
    try:
        file = _open(head, dynamic)
        segments = [segment.header for segment in file.iter_segments()]
        ends_in_interpreter = not _has_whole_interpreter(file, size)
        elf = Elf(
            machine=machine,
            loadable=file.header.e_type in ("ET_EXEC", "ET_DYN")
            and bool(segments)
            and _takes_interpreter(file, size),
            complete=all(s.p_offset + s.p_filesz <= size for s in segments),
            interpreter=None if ends_in_interpreter else _interpreter(file),
            ends_in_interpreter=ends_in_interpreter,
        )
    except _DAMAGE:
        return Elf(machine=machine, loadable=False, complete=False)
    try:
        return _with_dynamic(elf, file)
    except _DAMAGE:
        return elf


def _open(head: bytes, dynamic: tuple[int, bytes] = (0, b"")) -> ELFFile:
    if int.from_bytes(head[18:20], "little") in (X86_64, AARCH64):
        # Their kernels do not look at class and byte order: both have one only.
        head = head[:4] + b"\2\1" + head[6:]
    is_64_bit = head[4] == 2
    header = "<HHIQQQIHHHHHH" if is_64_bit else "<HHIIIIIHHHHHH"
    fields = list(struct.unpack_from(header, head, 16))
    entry_size, count = fields[8], fields[9]
    if entry_size != (56 if is_64_bit else 32) or entry_size * count > _MAX_PROGRAM_HEADER_BYTES:
        raise ValueError("the kernel takes no such program headers")
    fields[5] = fields[11] = fields[12] = 0  # no section headers: they need not be there, or true
    patched = head[:16] + struct.pack(header, *fields) + head[16 + struct.calcsize(header) :]
    return ELFFile(cast("BinaryIO", _Pieces(patched, *dynamic)))


def _interpreter(file: ELFFile) -> str | None:
    segment = next(file.iter_segments("PT_INTERP"), None)
    return segment.get_interp_name() if isinstance(segment, InterpSegment) else None


def _takes_interpreter(file: ELFFile, size: int) -> bool:
    """Whether the kernel takes the name of the loader: load_elf_binary of fs/binfmt_elf.c."""
    segment = next(file.iter_segments("PT_INTERP"), None)
    if segment is None:
        return True
    if not _MIN_PATH <= segment.header.p_filesz <= _MAX_PATH:
        return False
    return not _has_whole_interpreter(file, size) or segment.data().endswith(b"\0")


def _has_whole_interpreter(file: ELFFile, size: int) -> bool:
    segment = next(file.iter_segments("PT_INTERP"), None)
    return segment is None or segment.header.p_offset + segment.header.p_filesz <= size


def _with_dynamic(elf: Elf, file: ELFFile) -> Elf:
    segment = next(file.iter_segments("PT_DYNAMIC"), None)
    if not isinstance(segment, DynamicSegment):
        return elf
    tags = list(itertools.islice(segment.iter_tags(), _MAX_ENTRIES))
    texts: dict[str, list[str]] = {}
    for tag in tags:
        for kind in ("needed", "soname", "rpath", "runpath"):
            if hasattr(tag, kind):
                texts.setdefault(kind, []).append(getattr(tag, kind))
    if "" in texts.get("needed", []):
        raise ValueError("the names lie outside of what was kept")
    paths = ":".join(texts.get("runpath") or texts.get("rpath") or [])
    _, strings = segment.get_table_offset("DT_STRTAB")

    def table(tag: str) -> int | None:
        return segment.get_table_offset(tag)[1]

    return msgspec.structs.replace(
        elf,
        soname="".join(texts.get("soname", [])[:1]),
        needed=tuple(texts.get("needed", [])),
        search_path=tuple(path for path in paths.split(":") if path),
        has_rpath="rpath" in texts and "runpath" not in texts,
        needs_versions=tuple(_needed_versions(file, table("DT_VERNEED"), strings)),
        has_versions=tuple(_defined_versions(file, table("DT_VERDEF"), strings)),
    )


def _needed_versions(
    file: ELFFile, offset: int | None, strings: int | None
) -> Iterator[NeededVersion]:
    for need, at in _chain(file, file.structs.Elf_Verneed, offset, "vn_next"):
        library = _string(file, strings, need.vn_file)
        for version, _ in _chain(file, file.structs.Elf_Vernaux, at + need.vn_aux, "vna_next"):
            if not version.vna_flags & _VERSION_IS_WEAK:
                yield NeededVersion(library, _string(file, strings, version.vna_name))


def _defined_versions(file: ELFFile, offset: int | None, strings: int | None) -> Iterator[str]:
    for definition, at in _chain(file, file.structs.Elf_Verdef, offset, "vd_next"):
        name = struct_parse(file.structs.Elf_Verdaux, file.stream, at + definition.vd_aux)
        yield _string(file, strings, name.vda_name)


def _chain(file: ELFFile, form: Any, offset: int | None, link: str) -> Iterator[tuple[Any, int]]:
    """Follow a list whose entries say how far off the next one is."""
    for _ in range(_MAX_ENTRIES):
        if offset is None:
            return
        entry = struct_parse(form, file.stream, offset)
        yield entry, offset
        offset = offset + entry[link] if entry[link] else None


def _string(file: ELFFile, strings: int | None, offset: int) -> str:
    content = parse_cstring_from_stream(file.stream, (strings or 0) + offset)
    if not content:
        raise ValueError("the name lies outside of what was kept")
    return content.decode()


class _Pieces(io.RawIOBase):
    """The start of a file and one later piece of it; what lies between reads as its end."""

    def __init__(self, head: bytes, offset: int = 0, piece: bytes = b"") -> None:
        self._pieces = ((0, head), (offset, piece))
        self._at = 0
        self._left = _MAX_READ_BYTES

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        end = max(start + len(content) for start, content in self._pieces)
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: end}[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        for start, content in self._pieces:
            if start <= self._at < start + len(content):
                begin = self._at - start
                found = content[begin : None if size < 0 else begin + size]
                self._at += len(found)
                self._left -= len(found)
                if self._left < 0:
                    raise ELFError("what is looked for has no end")
                return found
        return b""
