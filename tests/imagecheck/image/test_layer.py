"""Layers, most of them hostile: what is made of them is what unpackers make, or a refusal."""

import gzip
import io
import random
import struct
import tarfile
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagecheck.budget import Budget
from imagecheck.image.content import TooLargeError, UnreadableCompressionError
from imagecheck.image.errors import DamagedImageError, ImageReadError, WrongBytesError
from imagecheck.image.layer import (
    HEAD,
    MAX_FILE_BYTES,
    MAX_LISTING_BYTES,
    Entry,
    FileKind,
    read_layer,
)
from imagecheck.image.manifest import digest_of
from lambda_runtime.image_sandbox import ImageSandboxError
from tests.support.imagecheck.images import (
    Directory,
    File,
    HardLink,
    Layer,
    Member,
    Opaque,
    Raw,
    Symlink,
    Whiteout,
    layer_from_tar,
    layer_of,
    write_image,
)
from tests.support.imagecheck.programs import OTHER_MACHINE, tiny_elf
from tests.support.imagecheck.reading import described, files_of, learned
from tests.support.imagecheck.starting import unpack
from tests.support.imagecheck.tools import run

MIB = 1024**2
PROGRAM = tiny_elf()


def raw(name: str, type_: bytes = tarfile.REGTYPE, content: bytes = b"", **fields: object) -> Raw:
    info = tarfile.TarInfo(name)
    info.type, info.size = type_, len(content)
    for field, value in fields.items():
        setattr(info, field, value)
    return Raw(info, content)


def tar_of(*members: Member) -> bytes:
    return gzip.decompress(layer_of(*members, parents=False).blob)


def gzipped(blob: bytes, tar: bytes = b"") -> Layer:
    """A layer whose bytes are already what a registry has."""
    layer = layer_from_tar(tar)
    return replace(layer, blob=blob, digest=digest_of(blob), size=len(blob))


def paths(layer: Layer) -> list[str]:
    return [entry.path for entry in learned(layer).entries]


def only(*members: Member, **options: int) -> Entry:
    (entry,) = learned(layer_of(*members, parents=False, **options)).entries  # type: ignore[arg-type]
    return entry


def test_what_is_kept_of_each_member() -> None:
    layer = layer_of(
        Directory("app", 0o1750),
        File("app/run", "#!/bin/sh\n" + "x" * HEAD, 0o755),
        File("app/data", "content", 0o4640),
        Symlink("app/link", "../run"),
        HardLink("app/same", "/app/data"),
        raw("app/pipe", tarfile.FIFOTYPE),
        raw("app/disk", tarfile.BLKTYPE),
        raw("app/null", tarfile.CHRTYPE),
    )

    read = learned(layer)

    assert list(read.entries) == [
        Entry("/app", FileKind.DIRECTORY, 0o1750),
        Entry(
            "/app/run", FileKind.FILE, 0o755, 10 + HEAD, head=b"#!/bin/sh\n" + b"x" * (HEAD - 10)
        ),
        Entry("/app/data", FileKind.FILE, 0o4640, 7),
        Entry("/app/link", FileKind.SYMLINK, 0o777, target="../run"),
        Entry("/app/same", FileKind.HARDLINK, 0o644, target="/app/data"),
        Entry("/app/pipe", FileKind.OTHER, 0o644),
        Entry("/app/disk", FileKind.OTHER, 0o644),
        Entry("/app/null", FileKind.OTHER, 0o644),
    ]
    assert (read.diff_id, read.size) == (layer.diff_id, len(gzip.decompress(layer.blob)))


def test_an_elf_file_is_known_whatever_its_mode() -> None:
    program, library = (
        only(File("run", tiny_elf(machine=OTHER_MACHINE), mode)) for mode in (0o755, 0o644)
    )

    assert program.elf and library.elf
    assert {program.elf.machine, library.elf.machine} == {OTHER_MACHINE}
    assert (program.head, library.head) == (b"", b"")


def test_a_native_module_for_another_system_is_known_whatever_its_mode() -> None:
    mach_o = b"\xcf\xfa\xed\xfe\x0c\0\0\x01"

    assert only(File("node_modules/b/b.node", mach_o)).head == mach_o
    assert only(File("node_modules/b/b.png", mach_o)).head == b""


def test_whiteouts() -> None:
    read = learned(layer_of(Whiteout("a/gone"), Opaque("b/emptied"), Whiteout("top"), Opaque("")))

    assert read.removed == ("/a/gone", "/top")
    assert read.emptied == ("/b/emptied", "/")
    assert {entry.path for entry in read.entries} == {"/a", "/b", "/b/emptied"}


@pytest.mark.parametrize("name", [".wh..wh.aufs", "a/.wh..wh.plnk", "a/.wh..wh.orph"])
def test_what_aufs_keeps_for_itself_is_left_out(name: str) -> None:
    read = learned(layer_of(File(name), parents=False))

    assert (read.entries, read.removed, read.emptied) == ((), (), ())


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a/b", "/a/b"),
        ("./a", "/a"),
        ("/a", "/a"),
        ("//a", "/a"),
        ("../a", "/a"),
        ("../../../etc/passwd", "/etc/passwd"),
        ("a/../../b", "/b"),
        ("a/./b//c", "/a/b/c"),
        ("a/", "/a"),
        (".", "/"),
        ("..", "/"),
        ("a\nb", "/a\nb"),
        ("a\x1b[2Jb", "/a\x1b[2Jb"),
        ("a\udcffb", "/a\\xffb"),
        ("é", "/é"),
    ],
)
@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_names_stay_inside(name: str, path: str, form: int) -> None:
    assert only(raw(name), tar_format=form).path == path
    link = only(raw("link", tarfile.LNKTYPE, linkname=name), tar_format=form)
    assert link.target == path


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names(form: int) -> None:
    name = "/".join(["n" * 200] * 20)

    assert only(File(name), tar_format=form).path == f"/{name}"
    assert only(Symlink("link", name), tar_format=form).target == name
    assert only(HardLink("link", name), tar_format=form).target == f"/{name}"


@pytest.mark.parametrize(
    "member",
    [
        File("a/" * 2049),
        Symlink("link", "a/" * 2049),
        HardLink("link", "a/" * 2049),
        Symlink("link", ""),
    ],
    ids=["file", "symlink", "hard link", "empty symlink"],
)
def test_names_that_no_file_system_takes(member: Member) -> None:
    with pytest.raises(DamagedImageError):
        learned(layer_of(member, parents=False))


def test_a_size_that_only_pax_can_say() -> None:
    tar = bytearray(tar_of(raw("a", content=b"x" * 600, pax_headers={"size": "600"}), File("b")))

    assert [e.size for e in learned(layer_from_tar(bytes(tar))).entries] == [600, 0]


def test_global_pax_headers_say_nothing_of_files() -> None:
    """As in Docker and containerd: a path for all that follow would make one file of them."""
    tar = b"".join(
        [
            tarfile.TarInfo.create_pax_global_header({"path": "elsewhere", "comment": "git"}),
            tar_of(File("a"), File("b")),
        ]
    )

    assert paths(layer_from_tar(tar)) == ["/a", "/b"]


def test_an_archive_without_end_blocks() -> None:
    tar = tar_of(File("a", "x"))[:1024]

    assert paths(layer_from_tar(tar)) == ["/a"]


@pytest.mark.parametrize("size", [0, 512, 1024, 10_240])
@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_a_layer_of_nothing(tmp_path: Path, size: int, compression: str) -> None:
    layer = layer_from_tar(bytes(size), compression=compression)  # type: ignore[arg-type]

    assert learned(layer).entries == ()
    unpack(write_image(tmp_path / "image", [layer]), tmp_path / "rootfs")


def test_zeros_behind_the_end() -> None:
    assert paths(layer_from_tar(tar_of(File("a")) + bytes(100_000))) == ["/a"]


@pytest.mark.parametrize(
    "tar",
    [
        b"no tar archive at all",
        b"x" * 512,
        b"x" * 100_000,
        tar_of(File("a"))[:300],
        tar_of(File("a", "x" * 2000))[:1500],
        tar_of(File("a", "x"))[:1024] + b"garbage" * 100 + tar_of(File("b")),
        tar_of(File("a", "x"))[:1024] + b"\0" * 512 + tar_of(File("b")),
        tar_of(File("a", "x"))[:1024] + b"short",
    ],
    ids=[
        "text", "a block", "blocks", "cut header", "cut file", "garbage", "one end block", "short",
    ],
)  # fmt: skip
def test_what_is_no_archive_to_its_end_is_refused(tmp_path: Path, tar: bytes) -> None:
    layer = layer_from_tar(tar)

    with pytest.raises(DamagedImageError, match=r"cannot be unpacked|the middle of a file"):
        learned(layer)
    with pytest.raises(ImageSandboxError, match="unpack"):
        unpack(write_image(tmp_path / "image", [layer]), tmp_path / "rootfs")


@settings(deadline=None)
@given(st.binary(max_size=2000))
def test_any_bytes_are_read_or_refused(tar: bytes) -> None:
    with suppress(DamagedImageError):
        learned(layer_from_tar(tar))


ARCHIVE = tar_of(
    Directory("app"),
    File("app/" + "n" * 120, "x" * 700),
    Symlink("link", "app"),
    File("run", PROGRAM, 0o755),
    HardLink("same", "/run"),
    raw("pax", pax_headers={"comment": "x" * 300, "mtime": "1.5"}),
)


@settings(deadline=None)
@given(
    st.integers(0, len(ARCHIVE) - 1),
    st.binary(min_size=1, max_size=40),
    st.integers(0, len(ARCHIVE)),
)
def test_damage_is_read_or_refused(at: int, damage: bytes, end: int) -> None:
    tar = (ARCHIVE[:at] + damage + ARCHIVE[at + len(damage) :])[:end]
    with suppress(DamagedImageError, ImageReadError, TooLargeError):
        learned(layer_from_tar(tar))


@pytest.mark.parametrize("size", [-1, -1024, 2**40, 2**62])
def test_impossible_sizes(size: int) -> None:
    header = bytearray(tarfile.TarInfo("a").tobuf(tarfile.GNU_FORMAT))
    header[124:136] = (
        b"\xff" + struct.pack(">qHx", size, 0)[:11]
        if size < 0
        else (b"\x80" + (size).to_bytes(11, "big"))
    )
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)

    with pytest.raises(DamagedImageError):
        learned(layer_from_tar(bytes(header) + bytes(2048)))


# --- sparse files -------------------------------------------------------------------------------


def sparse(pieces: list[tuple[int, bytes]], size: int) -> Raw:
    """A file of GNU's format 0.1: its holes are not in the archive."""
    info = tarfile.TarInfo("GNUSparseFile.0/run")
    info.mode = 0o755
    content = b"".join(content for _, content in pieces)
    info.size = len(content)
    spans = ",".join(f"{offset},{len(content)}" for offset, content in pieces)
    info.pax_headers = {
        "GNU.sparse.name": "run",
        "GNU.sparse.size": str(size),
        "GNU.sparse.map": spans,
    }
    return Raw(info, content)


def test_a_sparse_file_begins_with_its_hole() -> None:
    entry = only(sparse([(100, b"x" * 50), (200, b"y" * 5)], 10_000))

    assert (entry.path, entry.size) == ("/run", 10_000)
    assert entry.head == bytes(100) + b"x" * 50 + bytes(50) + b"y" * 5 + bytes(51)


def test_a_sparse_program_whose_dynamic_segment_lies_behind_a_hole() -> None:
    far = 2**40
    elf = bytearray(tiny_elf(interpreter="/lib/ld.so"))
    elf[64:68] = struct.pack("<I", 2)
    elf[72:80] = struct.pack("<Q", far)
    elf[96:104] = struct.pack("<Q", 16)

    entry = only(sparse([(0, bytes(elf)), (far, bytes(16))], far + 100))

    assert entry.elf and entry.elf.needed == ()


@pytest.mark.parametrize(
    "pieces", [[(50, b"x"), (10, b"y")], [(-5, b"x")], [(5000, b"x")], [(0, b"xy"), (1, b"z")]]
)
def test_a_sparse_file_without_order(pieces: list[tuple[int, bytes]]) -> None:
    with pytest.raises(DamagedImageError):
        learned(layer_of(sparse(pieces, 1000)))


def test_a_sparse_file_of_gnu_tar(tmp_path: Path) -> None:
    script = tmp_path / "run"
    with script.open("wb") as file:
        file.write(b"#!/bin/sh\n")
        file.truncate(100_000)
        file.seek(90_000)
        file.write(b"x")
    script.chmod(0o755)
    for form in ("gnu", "posix"):
        archive = tmp_path / f"{form}.tar"
        folder = ["-C", str(tmp_path), "run"]
        run(["tar", "--sparse", f"--format={form}", "-cf", str(archive), *folder])

        (entry,) = learned(layer_from_tar(archive.read_bytes())).entries

        assert (entry.size, entry.head) == (100_000, b"#!/bin/sh\n".ljust(HEAD, b"\0"))
        assert archive.stat().st_size < 50_000


# --- compression and bytes ----------------------------------------------------------------------

TAR = tar_of(File("a", "x" * 5000), File("b", "y"))


def test_plain_and_gzip_are_told_apart() -> None:
    compressed, plain = (learned(layer_from_tar(TAR, compression=how)) for how in ("gzip", "none"))

    assert (compressed.is_gzip, plain.is_gzip) == (True, False)
    assert compressed.entries == plain.entries
    assert compressed.diff_id == plain.diff_id == digest_of(TAR)


def test_a_layer_in_several_gzip_members() -> None:
    blob = b"".join(gzip.compress(TAR[at : at + 700]) for at in range(0, len(TAR), 700))

    read = learned(gzipped(blob + gzip.compress(b"")))

    assert [entry.path for entry in read.entries] == ["/a", "/b"]
    assert read.diff_id == digest_of(TAR)


BROKEN_GZIP = {
    "cut": gzip.compress(TAR)[:-20],
    "cut trailer": gzip.compress(TAR)[:-4],
    "cut header": gzip.compress(TAR)[:5],
    "wrong checksum": gzip.compress(TAR)[:-8] + bytes(8),
    "wrong length": gzip.compress(TAR)[:-4] + b"\x01\x02\x03\x04",
    "garbage behind": gzip.compress(TAR) + b"garbage",
    "zeros behind": gzip.compress(TAR) + bytes(512),
    "cut second member": gzip.compress(TAR) + gzip.compress(b"x")[:-3],
    "damaged": gzip.compress(TAR)[:40] + b"\xff" * 8 + gzip.compress(TAR)[48:],
}


@pytest.mark.parametrize("blob", BROKEN_GZIP.values(), ids=BROKEN_GZIP.keys())
def test_broken_gzip_is_refused(tmp_path: Path, blob: bytes) -> None:
    with pytest.raises(DamagedImageError, match="gzip"):
        learned(gzipped(blob, TAR))
    with pytest.raises(ImageSandboxError, match=r"gzip|EOF|flate"):
        unpack(write_image(tmp_path / "image", [gzipped(blob, TAR)]), tmp_path / "rootfs")


def test_zstd_is_named() -> None:
    with pytest.raises(UnreadableCompressionError, match="zstd"):
        learned(layer_of(File("a"), compression="zstd"))


@pytest.mark.parametrize(
    "change",
    [
        lambda blob: blob[:-1],
        lambda blob: blob + b"x",
        lambda _: b"",
        lambda blob: blob[:100] + bytes([blob[100] ^ 1]) + blob[101:],
        lambda blob: bytes(len(blob)),
        lambda _: layer_of(File("another")).blob,
    ],
    ids=["shorter", "longer", "empty", "a bit", "zeros", "another layer"],
)
@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_other_bytes_than_the_descriptors(
    change: Callable[[bytes], bytes], compression: str
) -> None:
    """Whatever else is wrong with them follows from that, so that is what is said."""
    layer = layer_from_tar(TAR, compression=compression)  # type: ignore[arg-type]
    blob = change(layer.blob)

    with pytest.raises(WrongBytesError, match=layer.digest):
        read_layer(io.BytesIO(blob), described(layer))


class Endless(io.RawIOBase):
    """What a hostile registry can send."""

    def __init__(self, start: bytes) -> None:
        self.start = start
        self.count = 0

    def read(self, size: int = -1) -> bytes:
        self.count += size
        assert self.count < 16 * MIB, "it is read without end"
        piece, self.start = self.start[:size], self.start[size:]
        return piece.ljust(size, b"\0")


@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_a_blob_without_end_is_not_read_on(compression: str) -> None:
    layer = layer_from_tar(TAR, compression=compression)  # type: ignore[arg-type]

    with pytest.raises(WrongBytesError, match="longer than"):
        read_layer(cast("BinaryIO", Endless(layer.blob)), described(layer))


def test_bytes_behind_the_end_of_the_archive_count() -> None:
    """They are of the digest and of the diff_id, though no unpacker looks at them."""
    layer = layer_from_tar(TAR + bytes(70_000))

    assert learned(layer).diff_id == digest_of(TAR + bytes(70_000))
    with pytest.raises(WrongBytesError):
        read_layer(io.BytesIO(layer.blob[:-1]), described(layer))


def test_the_progress_adds_up_to_the_blob() -> None:
    layer = layer_of(File("a", random.Random(1).randbytes(MIB)))
    counts: list[int] = []

    learned(layer, progress=counts.append)

    assert sum(counts) == layer.size
    assert len(counts) > 3


# --- limits -------------------------------------------------------------------------------------


def test_the_number_of_bytes_is_bounded() -> None:
    layer = layer_of(File("a", bytes(100_000)))
    size = learned(layer).size

    assert learned(layer, max_bytes=size).size == size
    with pytest.raises(TooLargeError):
        learned(layer, max_bytes=size - 1)


def test_what_is_kept_is_bounded() -> None:
    layer = layer_of(*(File(f"{number}") for number in range(100)), Whiteout("gone"))
    kept = learned(layer).listing_bytes

    assert learned(layer, max_listing_bytes=kept).listing_bytes == kept
    with pytest.raises(ImageReadError, match="more files"):
        learned(layer, max_listing_bytes=kept - 1)
    assert MAX_LISTING_BYTES / (kept / 101) > 1_000_000


def zeros(size: int) -> Layer:
    """A layer of one file of zeros, in several gzip streams, so that it is made fast."""
    info = tarfile.TarInfo("zeros")
    info.size, info.mode = size, 0o644
    piece = gzip.compress(bytes(16 * MIB))
    header, end = gzip.compress(info.tobuf()), gzip.compress(bytes(1024))
    return gzipped(header + piece * (size // 16 // MIB) + end)


@pytest.mark.proof
def test_a_large_file_of_zeros_is_read_in_little_memory() -> None:
    layer = zeros(256 * MIB)
    assert layer.size < MIB

    tracemalloc.start()
    try:
        read = learned(layer)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert [(entry.path, entry.size) for entry in read.entries] == [("/zeros", 256 * MIB)]
    assert peak < 16 * MIB


def test_what_becomes_too_large_is_not_read_on() -> None:
    layer = zeros(2048 * MIB)
    blob = io.BytesIO(layer.blob)

    with pytest.raises(TooLargeError):
        read_layer(blob, described(layer), max_bytes=32 * MIB)

    assert blob.tell() < layer.size


def test_the_time_is_bounded() -> None:
    layer = layer_of(File("a", random.Random(1).randbytes(MIB)))
    times = iter([0.0, 0.0, *[11.0] * 100])

    with pytest.raises(ImageReadError, match="longer than 10 s"):
        learned(layer, budget=Budget(seconds=10, clock=lambda: next(times)))


def test_the_number_of_members_is_bounded() -> None:
    layer = layer_of(*(File(f"{number}") for number in range(100)))

    learned(layer, budget=Budget(steps=2000))
    with pytest.raises(ImageReadError, match="more steps"):
        learned(layer, budget=Budget(steps=900))


HEADER_BOMBS = {
    "a PAX header of 4 MiB": tar_of(raw("a", pax_headers={"comment": "x" * 4 * MIB})),
    "a GNU name of 4 MiB": gzip.decompress(
        layer_of(File("n" * 4 * MIB), tar_format=tarfile.GNU_FORMAT).blob
    ),
    "PAX headers, one for the other": tar_of(*[raw("a", tarfile.XHDTYPE)] * 2000),
    "large PAX headers, one for the other": tar_of(
        *[raw("a", tarfile.XHDTYPE, b"900000 comment=".ljust(899_999, b"x") + b"\n")] * 30
    ),
    "GNU names, one for the other": tar_of(*[raw("a", tarfile.GNUTYPE_LONGNAME, b"n\0")] * 2000),
    "a sparse map without end": tar_of(
        Raw(
            sparse([], 0).info,
        )._replace(content=b"1" * 4 * MIB)
    ),
}


@pytest.mark.parametrize("tar", HEADER_BOMBS.values(), ids=HEADER_BOMBS.keys())
def test_headers_without_end_are_refused(tar: bytes) -> None:
    with pytest.raises(DamagedImageError, match=r"headers|no header|invalid"):
        learned(layer_from_tar(tar))


@pytest.mark.proof
def test_global_headers_do_not_pile_up() -> None:
    headers = b"".join(
        tarfile.TarInfo.create_pax_global_header({f"{number}": "x" * 500_000})
        + tar_of(File("a"))[:512]
        for number in range(40)
    )
    layer = layer_from_tar(headers)

    tracemalloc.start()
    try:
        read = learned(layer)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(read.entries) == 40
    assert peak < 8 * MIB


# --- contents -----------------------------------------------------------------------------------


def test_files_are_read_by_their_paths() -> None:
    layer = layer_of(
        File("a", "first"),
        File("app/main.py", "print()"),
        File("large", "x" * (MAX_FILE_BYTES + 1)),
        Symlink("link", "a"),
        File("a", "second"),
    )

    found = files_of(layer, "/a", "/app/main.py", "/large", "/link", "/nowhere")

    assert found.keys() == {"/a", "/app/main.py", "/large"}
    assert (found["/a"], found["/app/main.py"]) == (b"second", b"print()")
    assert len(found["/large"]) == MAX_FILE_BYTES


def test_files_of_other_bytes_are_not_returned() -> None:
    layer = layer_of(File("a", "x"))
    blob = layer.blob[:-1] + bytes([layer.blob[-1] ^ 1])

    with pytest.raises(WrongBytesError):
        files_of(replace(layer, blob=blob), "/a")
