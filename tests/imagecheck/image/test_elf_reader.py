"""ELF files of this machine, against binutils; and damaged ones, which never raise."""

import re
import struct
import sys
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagecheck.image.elf import AARCH64, MAGIC, X86_64, Elf, NeededVersion, machine_name
from imagecheck.image.elf_reader import HEAD_BYTES, Piece, later_pieces, read_elf
from tests.support.imagecheck import elf_by_pyelftools
from tests.support.imagecheck.images import File, layer_of
from tests.support.imagecheck.programs import tiny_elf
from tests.support.imagecheck.reading import learned
from tests.support.imagecheck.tools import run


@cache
def real_files() -> list[str]:
    """Programs, and the libraries that they and Python's modules use: all that tests need."""
    programs = ["/bin/ls", "/bin/busybox", "/usr/bin/skopeo", "/usr/bin/readelf", sys.executable]
    listed = run(["ldd", *(p for p in programs if p != "/bin/busybox")])
    libraries = sorted(set(re.findall(r"(/\S+) \(0x", listed)))
    return [*programs, *libraries]


@pytest.mark.parametrize("path", real_files())
def test_real_files_are_read_as_readelf_reads_them(path: str) -> None:
    assert read_whole(Path(path).read_bytes()) == as_readelf_says(path)


def read_whole(content: bytes) -> Elf:
    """Read a file of which all is at hand, as the reader of layers does."""
    head = content[:HEAD_BYTES]
    later = [
        Piece(offset, content[offset : offset + length])
        for offset, length in later_pieces(head, len(content))
    ]
    return read_elf(head, len(content), tuple(later))


def as_readelf_says(path: str) -> Elf:
    shown = run(["readelf", "--wide", "--file-header", "--segments", "--dynamic", path])
    versions = run(["readelf", "--wide", "--version-info", path])
    needs = versions.partition("Version needs section")[2]
    library = ""
    needed_versions = []
    for line in needs.splitlines():
        if file := re.search(r"File: (\S+)", line):
            library = file[1]
        elif (name := re.search(r"Name: (\S+)\s+Flags: (\S+)", line)) and name[2] != "WEAK":
            needed_versions.append((library, name[1]))
    defines = re.search(r"Version definition section.*?(?=\n\n|\Z)", versions, re.DOTALL)
    paths = re.findall(r"\((?:RUNPATH|RPATH)\).*\[(.*)\]", shown)
    interpreter = re.search(r"program interpreter: (.*)\]", shown)
    return Elf(
        machine={"Advanced Micro Devices X86-64": X86_64, "AArch64": AARCH64}[
            re.findall(r"Machine:\s+(.*)", shown)[0]
        ],
        loadable=True,
        complete=True,
        interpreter=interpreter[1] if interpreter else None,
        soname="".join(re.findall(r"\(SONAME\).*\[(.*)\]", shown)),
        needed=tuple(re.findall(r"\(NEEDED\).*\[(.*)\]", shown)),
        search_path=tuple(":".join(paths).split(":")) if paths else (),
        has_rpath="(RPATH)" in shown,
        needs_versions=tuple(
            NeededVersion(library, version) for library, version in needed_versions
        ),
        has_versions=tuple(
            re.findall(r"Flags: .*Cnt: \d+\s+Name: (\S+)", defines[0]) if defines else ()
        ),
    )


def elf_with_dynamic(*tags: tuple[int, int], strings: bytes, at: int | None = None) -> bytes:
    """A library of one loaded piece with the strings, and a dynamic segment, maybe far behind."""
    start = 64 + 2 * 56
    dynamic = b"".join(struct.pack("<QQ", *tag) for tag in (*tags, (5, start), (0, 0)))
    end = start + len(strings)
    at = end if at is None else at
    header = struct.pack(
        "<16sHHIQQQIHHHHHH",
        b"\x7fELF\x02\x01\x01", 3, X86_64, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0,
    )  # fmt: skip
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, end, end, 0x1000)
    dyn = struct.pack("<IIQQQQQQ", 2, 6, at, at, at, len(dynamic), len(dynamic), 8)
    return (header + load + dyn + strings).ljust(at, b"\0") + dynamic


NEEDED, SONAME, RPATH, RUNPATH = 1, 14, 15, 29
STRINGS = b"\0libc.so.6\0me.so\0/a:$ORIGIN/b\0/c\0"
TAGS = ((NEEDED, 1), (SONAME, 11), (RPATH, 17), (RUNPATH, 30))


@pytest.mark.parametrize("at", [None, HEAD_BYTES - 8, HEAD_BYTES, HEAD_BYTES + 5_000_000])
def test_a_dynamic_segment_far_behind(at: int | None) -> None:
    program = elf_with_dynamic(*TAGS, strings=STRINGS, at=at)

    *_, entry = learned(layer_of(File("lib.so", program))).entries

    if at == HEAD_BYTES - 8:  # half of it is kept, which is as if it were not there
        assert entry.elf and entry.elf.needed == ()
        return
    assert entry.elf == Elf(
        machine=X86_64,
        loadable=True,
        complete=True,
        soname="me.so",
        needed=("libc.so.6",),
        search_path=("/c",),
    )


@pytest.mark.parametrize(("flags", "wanted"), [(0, ["V_1", "V_2"]), (2, ["V_2"])])
def test_weak_versions_are_not_insisted_on(flags: int, wanted: list[str]) -> None:
    names = b"\0libc.so.6\0V_1\0V_2\0".ljust(32, b"\0")
    need = struct.pack("<HHIII", 1, 2, 1, 16, 0)
    first = struct.pack("<IHHII", 0, flags, 2, 11, 16)
    second = struct.pack("<IHHII", 0, 0, 3, 15, 0)
    table = 64 + 2 * 56 + len(names)
    tags = ((NEEDED, 1), (0x6FFFFFFE, table), (0x6FFFFFFF, 1))
    program = elf_with_dynamic(*tags, strings=names + need + first + second)

    elf = read_elf(program, len(program))

    assert elf.needed == ("libc.so.6",)
    assert list(elf.needs_versions) == [NeededVersion("libc.so.6", name) for name in wanted]


def test_rpath_counts_where_there_is_no_runpath() -> None:
    program = elf_with_dynamic(*TAGS[:3], strings=STRINGS)

    assert read_elf(program, len(program)).search_path == ("/a", "$ORIGIN/b")


def test_strings_outside_of_what_is_kept_are_not_guessed() -> None:
    program = elf_with_dynamic((NEEDED, 10**6), (SONAME, 1), strings=STRINGS)

    elf = read_elf(program, len(program))

    assert (elf.loadable, elf.needed, elf.soname) == (True, (), "")


@pytest.mark.parametrize("name", [b"x" * 100_000 + b"\0", b"x" * 1_000_000], ids=["ends", "no end"])
def test_names_without_end_are_not_kept(name: bytes) -> None:
    tags = [(NEEDED, number) for number in range(1, 4000)]
    program = elf_with_dynamic(*tags, strings=b"\0" + name)

    assert read_elf(program, len(program)).needed == ()


def test_what_is_cut_off_is_not_complete() -> None:
    program = Path("/bin/ls").read_bytes()

    assert read_elf(program, len(program)).complete
    for size in (len(program) // 2, 2000):
        elf = read_elf(program[:size], size)
        assert (elf.loadable, elf.complete) == (True, False)
    assert not read_elf(program[:500], 500).loadable


@pytest.mark.parametrize(
    ("at", "value", "loadable"),
    [
        (4, b"\1", True),  # the class, and
        (5, b"\2", True),  # the byte order: the kernels of 64-bit CPUs look at neither
        (16, b"\1", False),  # an object file
        (16, b"\2", True),
        (54, b"\x20", False),  # program headers of another size
        (56, b"\0", False),  # no program headers
    ],
)
def test_what_the_kernel_looks_at(at: int, value: bytes, loadable: bool) -> None:
    program = tiny_elf(machine=X86_64)
    changed = program[:at] + value + program[at + 1 :]

    assert read_elf(changed, len(changed)).loadable is loadable


@pytest.mark.parametrize("name", ["", "x" * 4096])
def test_a_loader_that_the_kernel_does_not_take(name: str) -> None:
    program = tiny_elf(interpreter=name)

    assert not read_elf(program, len(program)).loadable


def test_machines_have_the_names_that_uname_has() -> None:
    assert [machine_name(number) for number in (62, 183, 40, 4711)] == [
        "x86_64", "aarch64", "arm", "machine 4711",
    ]  # fmt: skip


REAL = Path("/bin/ls").read_bytes()
SMALL = (tiny_elf(interpreter="/lib/ld.so"), elf_with_dynamic(*TAGS, strings=STRINGS), REAL)


@pytest.mark.proof
@settings(deadline=None)
@given(st.sampled_from(SMALL), st.data())
def test_damage_never_raises(program: bytes, data: st.DataObject) -> None:
    changed = bytearray(program)
    for _ in range(data.draw(st.integers(1, 5))):
        # Mostly where the headers are.
        at = data.draw(st.integers(4, min(len(program), 900)) | st.integers(4, len(program) - 1))
        piece = data.draw(st.binary(min_size=1, max_size=8) | st.just(b"\xff" * 8))
        changed[at : at + len(piece)] = piece
    end = data.draw(st.integers(4, len(changed)))
    content = bytes(changed[:end])

    assert read_whole(content) == elf_by_pyelftools.read_elf(content, end)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_anything_with_the_magic_number_is_read(rest: bytes) -> None:
    *_, entry = learned(layer_of(File("run", MAGIC + rest, 0o755))).entries

    assert entry.elf


def test_what_patchelf_moves_to_the_end_of_a_large_program_is_read() -> None:
    """It appends a segment that has the names, the loader's too, and the dynamic segment."""
    at = HEAD_BYTES + 4096
    strings = b"\0libc.so.6\0/lib/ld.so\0".ljust(32, b"\0")
    dynamic = b"".join(struct.pack("<QQ", *tag) for tag in ((NEEDED, 1), (5, at), (0, 0)))
    header = struct.pack(
        "<16sHHIQQQIHHHHHH",
        b"\x7fELF\x02\x01\x01", 3, X86_64, 1, 0, 64, 0, 0, 64, 56, 4, 0, 0, 0,
    )  # fmt: skip
    spans = [(1, 0, 4096), (1, at, 32 + len(dynamic)), (2, at + 32, len(dynamic)), (3, at + 11, 11)]
    segments = [struct.pack("<IIQQQQQQ", t, 5, o, o, o, n, n, 8) for t, o, n in spans]
    program = b"".join([header, *segments]).ljust(at, b"\0") + strings + dynamic

    *_, entry = learned(layer_of(File("run", program, 0o755))).entries

    assert entry.elf
    assert (entry.elf.loadable, entry.elf.interpreter) == (True, "/lib/ld.so")
    assert entry.elf.needed == ("libc.so.6",)
