"""Files in folders and archives: by name, never outside, and whatever lies there, nothing hangs."""

import gzip
import os
import tarfile
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from imagecheck.image import files as files_module
from imagecheck.image.errors import ImageReadError
from imagecheck.image.files import Files, FolderFiles, TarFiles
from tests.support.errors import shows
from tests.support.imagecheck.images import Directory, File, HardLink, Member, Symlink, layer_of


def archive(folder: Path, *members: Member) -> Path:
    path = folder / "archive.tar"
    path.write_bytes(gzip.decompress(layer_of(*members, parents=False).blob))
    return path


def content(files: Files, name: str) -> bytes:
    with closing(files.open(name)) as file:
        return file.read(1000)


def test_files_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/a").write_bytes(b"content")
    files = FolderFiles(tmp_path)

    assert (content(files, "sub/a"), files.size("sub/a")) == (b"content", 7)
    for look in (files.open, files.size):
        with pytest.raises(FileNotFoundError):
            look("sub/b")


def test_files_of_an_archive(tmp_path: Path) -> None:
    path = archive(
        tmp_path,
        File("./sub/a", "content"),
        File("b", "x" * 600),
        Symlink("sub/link", "../b"),
        HardLink("same", "sub/a"),
        Symlink("sub/loop", "loop"),
        Symlink("sub/out", "../../../etc/passwd"),
        Directory("folder"),
    )
    with closing(TarFiles(path)) as files:
        assert (content(files, "sub/a"), files.size("sub/a")) == (b"content", 7)
        assert content(files, "sub/link") == b"x" * 600
        assert content(files, "same") == b"content"
        for name in ("nowhere", "sub/loop", "sub/out", "folder", "/etc/passwd", "../etc/passwd"):
            for look in (files.open, files.size):
                with pytest.raises(FileNotFoundError):
                    look(name)


def test_two_files_of_an_archive_are_read_in_turns(tmp_path: Path) -> None:
    with closing(TarFiles(archive(tmp_path, File("a", "1234"), File("b", "5678")))) as files:
        one, two = files.open("a"), files.open("b")

        assert [file.read(2) for file in (one, two, one, two, one)] == [
            b"12", b"56", b"34", b"78", b"",
        ]  # fmt: skip
        one.close()
        assert two.read(1) == b""


def test_what_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    for path, why in (
        (tmp_path / "file", "is not a folder"),
        (tmp_path / "nowhere", "No such file"),
        (tmp_path / "file/below", "Not a directory"),
        (tmp_path / ("x" * 300), "File name too long"),
    ):
        with pytest.raises(ImageReadError, match=why):
            FolderFiles(path)


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").touch()
    files = FolderFiles(tmp_path)

    for name, why in (("pipe", "not a file"), (".", "not a file"), ("file/below", "Not a dir")):
        for look in (files.open, files.size):
            with pytest.raises(ImageReadError, match=why):
                look(name)
    with pytest.raises(ImageReadError, match="not a file"):
        FolderFiles(Path("/dev")).open("zero")


def test_a_file_that_cannot_be_read_while_it_is_read() -> None:
    file = FolderFiles(Path("/proc/self")).open("mem")
    with closing(file), pytest.raises(ImageReadError, match="be read: Input/output error"):
        file.read(10)


def test_what_is_no_archive(tmp_path: Path) -> None:
    whole = archive(tmp_path, File("a", "x" * 3000)).read_bytes()
    os.mkfifo(tmp_path / "pipe")
    for name, data in {
        "text": b"text",
        "cut": whole[:2000],
        "damaged": whole[:3584] + b"garbage" * 200,
    }.items():
        (tmp_path / name).write_bytes(data)

    for name, why in (
        ("text", "is not a tar archive"),
        ("cut", "is not a tar archive"),
        ("damaged", "is not a tar archive"),
        ("nowhere", "No such file"),
        (".", "is not a file"),
        ("pipe", "is not a file"),
    ):
        with pytest.raises(ImageReadError, match=why):
            TarFiles(tmp_path / name)


def claiming(size: int, type_: bytes) -> bytes:
    info = tarfile.TarInfo("a")
    info.type, info.size = type_, size
    return info.tobuf(tarfile.GNU_FORMAT) + bytes(2048)


@pytest.mark.parametrize("type_", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.REGTYPE])
@pytest.mark.parametrize("size", [2**33, 2**60])
def test_an_archive_that_claims_too_much(tmp_path: Path, type_: bytes, size: int) -> None:
    path = tmp_path / "archive.tar"
    path.write_bytes(claiming(size, type_))

    with pytest.raises(ImageReadError, match=r"is not a tar archive|Invalid argument"):
        TarFiles(path)


@pytest.mark.proof
@pytest.mark.parametrize(
    "members",
    [[File("n" * 5000)], [Symlink("a", "n" * 5000)], [File(f"{n}") for n in range(10_001)]],
    ids=["name", "target", "many"],
)
def test_an_archive_that_is_too_much(tmp_path: Path, members: list[Member]) -> None:
    with pytest.raises(ImageReadError, match="too many files for an image, or too long names"):
        TarFiles(archive(tmp_path, *members))


def test_an_archive_in_gzip_is_read(tmp_path: Path) -> None:
    whole = archive(tmp_path, File("a", "content"), File("b", bytes(2_000_000))).read_bytes()
    compressed = tmp_path / "image.tar.gz"
    half = len(whole) // 2
    compressed.write_bytes(gzip.compress(whole[:half]) + gzip.compress(whole[half:]))

    with closing(TarFiles(compressed)) as files:
        assert content(files, "a") == b"content"
        assert files.size("b") == 2_000_000


@pytest.mark.parametrize(
    "change", [lambda b: b[:-9], lambda b: b + b"x", lambda b: b[:40] + b[50:]]
)
def test_an_archive_in_broken_gzip(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    whole = archive(tmp_path, File("a", os.urandom(3000))).read_bytes()
    (tmp_path / "image.tar.gz").write_bytes(change(gzip.compress(whole)))

    with pytest.raises(ImageReadError, match=r"gz cannot be read to its end: the gzip"):
        TarFiles(tmp_path / "image.tar.gz")


def test_an_archive_that_inflates_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files_module, "_MAX_ARCHIVE_BYTES", 1_000_000)
    (tmp_path / "image.tar.gz").write_bytes(gzip.compress(bytes(50_000_000)))

    with pytest.raises(ImageReadError, match="more bytes than this tool reads"):
        TarFiles(tmp_path / "image.tar.gz")


def test_no_room_to_unpack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "image.tar.gz").write_bytes(gzip.compress(bytes(5_000_000)))
    with Path("/dev/full").open("wb", buffering=0) as full:
        monkeypatch.setattr(tempfile, "TemporaryFile", lambda: full)

        with pytest.raises(ImageReadError, check=shows("No space left on device\nhint: .* TMPDIR")):
            TarFiles(tmp_path / "image.tar.gz")


@pytest.mark.parametrize(
    ("magic", "what"),
    [(b"\x28\xb5\x2f\xfd", "zstd"), (b"\xfd7zXZ\0", "xz"), (b"BZh9", "bzip2")],
)
def test_another_compression_is_named(tmp_path: Path, magic: bytes, what: str) -> None:
    (tmp_path / "image.tar").write_bytes(magic + bytes(1000))

    with pytest.raises(
        ImageReadError, check=shows(f"hint: it is compressed with {what}: run `{what} ")
    ):
        TarFiles(tmp_path / "image.tar")
