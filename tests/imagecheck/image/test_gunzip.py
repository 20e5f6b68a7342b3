"""Gzip streams are inflated, and refused, as zlib does, whichever library inflates them."""

import gzip
import io
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from isal import isal_zlib

from imagecheck.image.gunzip import FASTEST, PIECE_BYTES, BrokenGzipError, gunzip

CONTENTS = st.lists(
    st.binary(max_size=2000) | st.sampled_from([b"", bytes(70_000), b"abc" * 40_000]), max_size=4
)


def inflated(blob: bytes, step: int, library: Any) -> bytes | None:
    """What is in a blob, read so many bytes at a time; None where it is refused."""
    file = io.BytesIO(blob)
    try:
        return b"".join(gunzip(file.read(step), lambda: file.read(step), library))
    except BrokenGzipError:
        return None


@pytest.mark.proof
@settings(deadline=None)
@given(CONTENTS, st.integers(0, 9), st.integers(1, 5000))
def test_streams_one_after_the_other(contents: list[bytes], level: int, step: int) -> None:
    blob = b"".join(gzip.compress(content, level) for content in contents)

    for library in (zlib, isal_zlib):
        assert inflated(blob, step, library) == b"".join(contents)


@pytest.mark.proof
@settings(deadline=None, max_examples=200)
@given(CONTENTS.filter(bool), st.integers(1, 300), st.data())
def test_damage_is_refused_by_both_alike(
    contents: list[bytes], step: int, data: st.DataObject
) -> None:
    blob = bytearray(b"".join(map(gzip.compress, contents)))
    at = data.draw(st.integers(0, len(blob) - 1))
    # What the header's other flags tell of is not in the way of what follows.
    if at in (3, *range(4, 10)):
        at = 0
    blob[at : at + 1] = data.draw(st.binary(max_size=3))
    blob = blob[: data.draw(st.integers(0, len(blob)) | st.just(len(blob)))]

    assert inflated(bytes(blob), step, isal_zlib) == inflated(bytes(blob), step, zlib)


@pytest.mark.parametrize("library", [zlib, isal_zlib])
@pytest.mark.parametrize("size", [PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 5 * PIECE_BYTES])
def test_pieces_have_a_bounded_size(library: Any, size: int) -> None:
    blob = gzip.compress(bytes(size))

    pieces = list(gunzip(blob, lambda: b"", library))

    assert sum(map(len, pieces)) == size
    assert max(map(len, pieces)) <= PIECE_BYTES


def test_the_faster_library_is_the_one_that_is_used() -> None:
    assert FASTEST is isal_zlib
