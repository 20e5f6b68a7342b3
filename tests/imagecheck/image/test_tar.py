"""The reader of plain headers, against the standard library's: what both read they read alike."""

import io
import tarfile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagecheck.image import tar as tar_module
from imagecheck.image.errors import DamagedImageError
from imagecheck.image.tar import Member, members

NAMES = st.sampled_from(
    ["a", "a/b", "./a", "/a", "a/", "x" * 99, "x" * 100, "y/" * 60 + "z", "z" * 300, "é", "日本/語",
     "bad\udcff", "with space", "back\\slash", "new\nline"]
)  # fmt: skip
TYPES = st.sampled_from(
    [tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE,
     tarfile.BLKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CONTTYPE, b"V"]
)  # fmt: skip
PAX = st.dictionaries(
    st.sampled_from(
        ["path", "linkpath", "mtime", "uid", "size", "comment", "SCHILY.xattr.user.x", "hdrcharset",
         "LIBARCHIVE.creationtime", "VENDOR.thing", "GNU.sparse.size", "charset"]
    ),
    st.sampled_from(["a", "b/c/", "1", "12", "1.5", "ISO-IR 10646 2000 UTF-8", "é", "x" * 700]),
    max_size=3,
)  # fmt: skip


@st.composite
def infos(draw: st.DrawFn) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(draw(NAMES))
    info.type = draw(TYPES)
    info.linkname = draw(NAMES) if info.type in (tarfile.LNKTYPE, tarfile.SYMTYPE) else ""
    content = draw(st.sampled_from([b"", b"x", b"y" * 511, b"z" * 512, b"w" * 1300]))
    is_file = info.isreg() or info.type == b"V"
    info.size = len(content) if is_file else draw(st.sampled_from([0, 0, 700]))
    info.mode = draw(st.sampled_from([0, 0o644, 0o4755, 0o100644, 0o7777777]))
    info.uid = draw(st.sampled_from([0, 1000, 2**21 - 1, 2**21, 2**31]))
    info.mtime = draw(st.sampled_from([0, 1700000000, 1.5, 2**33, 2**40]))
    info.uname = draw(st.sampled_from(["", "root", "ö"]))
    info.pax_headers = draw(PAX)
    return info, content if is_file else b""


def archive(found: list[tuple[tarfile.TarInfo, bytes]], form: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(
        fileobj=buffer, mode="w", format=form, encoding="utf-8", errors="surrogateescape"
    ) as tar:
        for info, content in found:
            # A size without content is what some write for links.
            tar.addfile(info, io.BytesIO(content) if content else None)
    return buffer.getvalue()


def read(content: bytes) -> list[Member] | str:
    """What is in an archive; how it is refused where it is."""
    found: list[Member] = []
    try:
        found.extend(members(io.BytesIO(content)))
    except DamagedImageError as error:
        return str(error)
    return found


def read_by_library(content: bytes) -> list[Member] | str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tar_module, "_plain_member", lambda headers: headers.read(512) and None)
        return read(content)


FORMATS = st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])


@pytest.mark.proof
@settings(deadline=None, max_examples=300)
@given(st.lists(infos(), max_size=4), FORMATS)
def test_members_are_those_of_the_standard_library(
    found: list[tuple[tarfile.TarInfo, bytes]], form: int
) -> None:
    try:
        content = archive(found, form)
    except ValueError:  # not every name fits into every format
        return

    assert read(content) == read_by_library(content)


@pytest.mark.proof
@settings(deadline=None, max_examples=400)
@given(st.lists(infos(), min_size=1, max_size=3), FORMATS, st.data())
def test_damage_is_found_as_by_the_standard_library(
    found: list[tuple[tarfile.TarInfo, bytes]], form: int, data: st.DataObject
) -> None:
    try:
        content = bytearray(archive(found, form))
    except ValueError:
        return
    at = data.draw(st.integers(0, min(len(content), 3000) - 1))
    piece = data.draw(
        st.binary(min_size=1, max_size=12) | st.sampled_from([b"0", b" ", b"\0", b"7"])
    )
    content[at : at + len(piece)] = piece
    if data.draw(st.booleans()):
        # Let the checksums be right: what else is damaged is to be seen.
        for start in range(0, len(content) - 511, 512):
            header = content[start : start + 512]
            if header[257:262] == b"ustar":
                header[148:156] = b" " * 8
                content[start + 148 : start + 156] = b"%06o\0 " % sum(header)
    end = data.draw(st.integers(0, len(content)) | st.just(len(content)))

    assert read(bytes(content[:end])) == read_by_library(bytes(content[:end]))


def count_library(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    calls = []
    real = tar_module._library

    def counted(headers: Any) -> tarfile.TarFile:
        calls.append(1)
        return real(headers)

    monkeypatch.setattr(tar_module, "_library", counted)
    return calls


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
def test_the_standard_library_reads_no_more_than_the_end_of_what_is_plain(
    form: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = count_library(monkeypatch)
    found = []
    for name, type_ in (("d", tarfile.DIRTYPE), ("d/f", tarfile.REGTYPE), ("l", tarfile.SYMTYPE)):
        info = tarfile.TarInfo(name)
        info.type, info.linkname, info.mtime = type_, "d" if name == "l" else "", 1.25
        found.append((info, b""))
    iterator = members(io.BytesIO(archive(found, form)))

    assert [next(iterator).name for _ in found] == ["d", "d/f", "l"]
    assert calls == []
    assert list(iterator) == []
    assert calls == [1]
