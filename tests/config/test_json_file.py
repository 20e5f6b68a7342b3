"""JSON files as editors, merges, full disks and strangers leave them: a reason, never a crash."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.json_file import DamagedFileError, MergeConflictError, parse_json, read_json_file

DAMAGED = {
    b"": "it is empty",
    b" \n": "it is empty",
    b'{"a": "\xff"}': "not text in UTF-8: invalid start byte in line 1",
    b'{\n"a": "\xe3\x81': "not text in UTF-8: unexpected end of data in line 2",
    b"\xef\xbb\xbf{}": "byte order mark",
    "{}".encode("utf-16"): "UTF-16",
    "{}".encode("utf-16-be", "strict"): "NUL byte in line 1",
    "{}".encode("utf-32"): "UTF-16 or UTF-32",
    b'{"a": "1"}\n\0\0\0': "NUL byte in line 2",
    rb'{"a": "\ud800"}': "half of a surrogate pair",
    rb'{"\udfff": "1"}': "half of a surrogate pair",
    b'{"a":' * 100_000: "nested too deeply",
    b"[" * 100_000: "nested too deeply",
    b'{"a": "1", "a": "2"}': "the key 'a' twice",
    b'{"a": NaN}': "NaN, which is no JSON",
    b'{"a": ' + b"9" * 5000 + b"}": "JSON is malformed",
    b'{"a": "1"': "JSON is malformed",
    b'{"a": 1}': r"Expected `str`, got `int`",
    b"[]": "Expected `object`, got `array`",
    b"null": "Expected `object`, got `null`",
}


@pytest.mark.parametrize(("content", "reason"), DAMAGED.items(), ids=range(len(DAMAGED)))
def test_what_is_wrong_is_told(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(content)
    with pytest.raises(DamagedFileError, match=reason):
        read_json_file(path, dict[str, str])


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_merge_conflict_is_called_one(end: bytes) -> None:
    lines = [b'{"a":', b"<<<<<<< HEAD", b'"1"', b"=======", b'"2"', b">>>>>>> theirs", b"}"]
    with pytest.raises(MergeConflictError, match="merge conflict begins in line 2"):
        parse_json(end.join(lines), dict[str, str])


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    with pytest.raises(DamagedFileError, match="Is a directory"):
        read_json_file(tmp_path, dict[str, str])


def test_what_is_missing_is_no_damage(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_json_file(tmp_path / "none", dict[str, str])


TEXT: st.SearchStrategy[Any] = st.recursive(
    st.text() | st.integers(-(2**53), 2**53) | st.none(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@pytest.mark.proof
@settings(deadline=None)
@given(st.dictionaries(st.text(), TEXT))
def test_good_ones_are_read_as_they_are(document: dict[str, Any]) -> None:
    for ascii_ in (True, False):
        content = json.dumps(document, ensure_ascii=ascii_).encode()
        assert parse_json(content, dict[str, Any]) == document


@settings(deadline=None)
@given(st.binary())
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        assert isinstance(parse_json(content, dict[str, Any]), dict)
    except DamagedFileError as error:
        assert str(error)
