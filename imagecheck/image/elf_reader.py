"""Reads of an ELF file what the kernel and the dynamic loader read.

Only program headers and the dynamic segment count: section headers may be stripped.
https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html; versions:
https://refspecs.linuxfoundation.org/LSB_5.0.0/LSB-Core-generic/LSB-Core-generic/symversion.html
"""

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from imagecheck.image.elf import AARCH64, X86_64, Elf, NeededVersion

HEAD_BYTES: Final = 16 * 1024 * 1024
"""How much of a file is kept while it is read. What is looked for lies at the start of the file,
but for what a tool like patchelf has moved to its end; the start tells where."""
MAX_LATER_BYTES: Final = 4 * 1024 * 1024
"""The most that is kept of a piece that lies behind; there are three at most."""
# fs/binfmt_elf.c, load_elf_phdrs.
_MAX_PROGRAM_HEADER_BYTES = 65536
_MIN_PATH, _MAX_PATH = 2, 4096
_MAX_ENTRIES = 4096
# What is looked for takes a hundredth of it; names without end would take all memory.
_MAX_READ_BYTES = 2 * 1024**2
_VERSION_IS_WEAK = 2
_ET_EXEC, _ET_DYN = 2, 3
_PT_LOAD, _PT_DYNAMIC, _PT_INTERP = 1, 2, 3
_DT_NEEDED, _DT_STRTAB, _DT_SONAME, _DT_RPATH, _DT_RUNPATH = 1, 5, 14, 15, 29
_DT_VERDEF, _DT_VERNEED = 0x6FFFFFFC, 0x6FFFFFFE
_CLASS_32, _CLASS_64 = 1, 2
_STRING_BYTES = 256
"""How much is looked at, at once, for the end of a string: hardly one is longer."""


class Piece(NamedTuple):
    """A part of a file: where it starts, and its bytes."""

    offset: int
    content: bytes | memoryview


class _DamageError(Exception):
    """It is not as it should be, or lies in no part that was kept."""


class _OutsideError(_DamageError):
    """No part that was kept has it."""


class _Segment(NamedTuple):
    type: int
    offset: int
    address: int
    size: int
    """In the file."""


class _Form(NamedTuple):
    """What differs between files of 32 and of 64 bits."""

    header: struct.Struct
    segment: struct.Struct
    """Type, offset, address and size of a segment; the rest is skipped."""
    dynamic: struct.Struct


_FORMS = {
    _CLASS_32: _Form(
        struct.Struct("<HHIIIIIHHHHHH"), struct.Struct("<III4xI12x"), struct.Struct("<iI")
    ),
    _CLASS_64: _Form(
        struct.Struct("<HHIQQQIHHHHHH"), struct.Struct("<I4xQQ8xQ16x"), struct.Struct("<qQ")
    ),
}
_VERNEED = struct.Struct("<HHIII")
_VERNAUX = struct.Struct("<IHHII")
_VERDEF = struct.Struct("<HHHHIII")
_VERDAUX = struct.Struct("<II")


def later_pieces(head: bytes | memoryview, size: int) -> list[tuple[int, int]]:
    """Return what else of a file is to be kept: offsets and lengths in bytes, in their order.

    ``head`` is its start, of ``HEAD_BYTES``, and ``size`` the length of the whole.
    """
    try:
        segments = _File(head, ()).segments
    except _DamageError:
        return []
    dynamic = [s for s in segments if s.type == _PT_DYNAMIC][:1]
    wanted = [s for s in segments if s.type == _PT_INTERP][:1] + dynamic
    # The names that it tells of lie in the same part.
    wanted += [
        s
        for s in segments
        if s.type == _PT_LOAD
        and s.offset >= len(head)
        and any(s.offset <= d.offset < s.offset + s.size for d in dynamic)
    ]
    found: list[tuple[int, int]] = []
    at = len(head)
    for segment in sorted(wanted, key=lambda s: s.offset):
        start = max(segment.offset, at)
        end = min(segment.offset + segment.size, size)
        length = min(end - start, MAX_LATER_BYTES)
        if length > 0:
            found.append((start, length))
            at = start + length
    return found


def read_elf(head: bytes | memoryview, size: int, later: tuple[Piece, ...] = ()) -> Elf:
    """Read a file that starts with ``MAGIC``; what is damaged in it is left out.

    ``head`` is the start of the file and ``size`` the length of the whole in bytes; ``later`` is
    what lies behind the start, as ``later_pieces`` asks for it.
    """
    machine = int.from_bytes(head[18:20], "little")
    try:
        file = _File(head, later)
        interpreter = next((s for s in file.segments if s.type == _PT_INTERP), None)
        has_whole = interpreter is None or interpreter.offset + interpreter.size <= size
        elf = Elf(
            machine=machine,
            loadable=file.type in (_ET_EXEC, _ET_DYN)
            and bool(file.segments)
            and _takes_interpreter(file, interpreter, has_whole=has_whole),
            complete=all(s.offset + s.size <= size for s in file.segments),
            interpreter=_decoded(file.string(interpreter.offset))
            if interpreter and has_whole
            else None,
            ends_in_interpreter=not has_whole,
        )
    except _DamageError:
        return Elf(machine=machine, loadable=False, complete=False)
    try:
        return _with_dynamic(elf, file)
    except _DamageError:
        return elf


class _File:
    """A file of which the start and some later pieces are known."""

    def __init__(self, head: bytes | memoryview, later: tuple[Piece, ...]) -> None:
        self._pieces = (Piece(0, head), *later)
        self._left = _MAX_READ_BYTES
        if int.from_bytes(head[18:20], "little") in (X86_64, AARCH64):
            # Their kernels do not look at class and byte order: both have one only.
            class_, is_big_endian = _CLASS_64, False
        else:
            class_, is_big_endian = int.from_bytes(head[4:5], "little"), head[5:6] != b"\1"
        if class_ not in _FORMS or is_big_endian:
            raise _DamageError
        self.form = _FORMS[class_]
        fields = self.unpack(self.form.header, 16)
        self.type, start, entry_size, count = fields[0], fields[4], fields[8], fields[9]
        length = entry_size * count
        if entry_size != self.form.segment.size or length > _MAX_PROGRAM_HEADER_BYTES:
            raise _DamageError  # the kernel takes no such program headers
        content = self.read(start, length) if length else b""
        self.segments = [_Segment(*fields) for fields in self.form.segment.iter_unpack(content)]

    def read(self, offset: int, size: int) -> bytes:
        for start, content in self._pieces:
            if start <= offset and offset + size <= start + len(content):
                self._spend(size)
                return bytes(content[offset - start : offset - start + size])
        raise _DamageError

    def _spend(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise _DamageError  # what is looked for has no end

    def unpack(self, form: struct.Struct, offset: int) -> tuple[int, ...]:
        return form.unpack(self.read(offset, form.size))

    def string(self, offset: int) -> bytes:
        """Return the bytes up to the next zero."""
        for start, content in self._pieces:
            if start <= offset < start + len(content):
                found = b""
                for at in range(offset - start, len(content), _STRING_BYTES):
                    text, zero, _ = bytes(content[at : at + _STRING_BYTES]).partition(b"\0")
                    self._spend(len(text))
                    found += text
                    if zero:
                        return found
        raise _OutsideError

    def offset_of(self, address: int) -> int | None:
        """Say where in the file it is that is loaded to an address."""
        for segment in self.segments:
            if segment.type == _PT_LOAD and 0 <= address - segment.address < segment.size:
                return address - segment.address + segment.offset
        return None


def _takes_interpreter(file: _File, segment: _Segment | None, *, has_whole: bool) -> bool:
    """Whether the kernel takes the name of the loader: load_elf_binary of fs/binfmt_elf.c."""
    if segment is None:
        return True
    if not _MIN_PATH <= segment.size <= _MAX_PATH:
        return False
    return not has_whole or file.read(segment.offset, segment.size).endswith(b"\0")


def _with_dynamic(elf: Elf, file: _File) -> Elf:
    segment = next((s for s in file.segments if s.type == _PT_DYNAMIC), None)
    if segment is None or not segment.size:
        return elf
    tags = list(_tags(file, segment.offset))

    def table(tag: int) -> int | None:
        address = next((value for name, value in tags if name == tag), 0)
        return file.offset_of(address) if address else None

    strings = table(_DT_STRTAB)

    def texts(tag: int) -> list[str]:
        return [_tag_text(file, strings, value) for name, value in tags if name == tag]

    needed, sonames = texts(_DT_NEEDED), texts(_DT_SONAME)
    paths = {tag: texts(tag) for tag in (_DT_RUNPATH, _DT_RPATH)}
    if "" in needed:
        raise _DamageError  # the names lie outside of what was kept
    search_path = ":".join(paths[_DT_RUNPATH] or paths[_DT_RPATH])
    return msgspec.structs.replace(
        elf,
        soname="".join(sonames[:1]),
        needed=tuple(needed),
        search_path=tuple(path for path in search_path.split(":") if path),
        has_rpath=bool(paths[_DT_RPATH]) and not paths[_DT_RUNPATH],
        needs_versions=tuple(_needed_versions(file, table(_DT_VERNEED), strings)),
        has_versions=tuple(_defined_versions(file, table(_DT_VERDEF), strings)),
    )


def _tags(file: _File, offset: int) -> Iterator[tuple[int, int]]:
    form = file.form.dynamic
    for number in range(_MAX_ENTRIES):
        name, value = file.unpack(form, offset + number * form.size)
        yield name, value
        if not name:
            return


def _tag_text(file: _File, strings: int | None, offset: int) -> str:
    if strings is None:
        raise _DamageError
    try:
        return _decoded(file.string(strings + offset))
    except _OutsideError:
        return ""


def _needed_versions(
    file: _File, offset: int | None, strings: int | None
) -> Iterator[NeededVersion]:
    for (_, _, name, first, _), at in _chain(file, _VERNEED, offset):
        library = _version_text(file, strings, name)
        for (_, flags, _, version, _), _ in _chain(file, _VERNAUX, at + first):
            if not flags & _VERSION_IS_WEAK:
                yield NeededVersion(library, _version_text(file, strings, version))


def _defined_versions(file: _File, offset: int | None, strings: int | None) -> Iterator[str]:
    for (*_, first, _), at in _chain(file, _VERDEF, offset):
        name, _ = file.unpack(_VERDAUX, at + first)
        yield _version_text(file, strings, name)


def _chain(
    file: _File, form: struct.Struct, offset: int | None
) -> Iterator[tuple[tuple[int, ...], int]]:
    """Follow a list whose entries say last how far off the next one is."""
    for _ in range(_MAX_ENTRIES):
        if offset is None:
            return
        entry = file.unpack(form, offset)
        yield entry, offset
        offset = offset + entry[-1] if entry[-1] else None


def _version_text(file: _File, strings: int | None, offset: int) -> str:
    content = file.string((strings or 0) + offset)
    if not content:
        raise _DamageError  # the name lies outside of what was kept
    return _decoded(content)


def _decoded(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise _DamageError from None
