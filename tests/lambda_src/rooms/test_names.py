import json
import re
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_src.rooms import names
from lambda_src.rooms.characters import COMPOSING, TRIMMED

CASES: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("name_cases.json").read_text(encoding="utf-8")
)

_VISIBLE = re.compile(names.VISIBLE_PATTERN)
_COMPOSING = re.compile(f"[{COMPOSING}]")


@pytest.mark.parametrize("case", CASES, ids=[case["why"] for case in CASES])
def test_each_case_of_the_table_that_api_and_page_share(case: dict[str, Any]) -> None:
    if "name" in case:
        assert names.clean(case["typed"]) == case["name"]
    else:
        with pytest.raises(ValueError, match=case["refused"]):
            names.clean(case["typed"])


@given(st.text())
def test_a_clean_name_is_short_normal_visible_and_clean_already(typed: str) -> None:
    try:
        name = names.clean(typed)
    except ValueError:
        return
    assert 1 <= len(name) <= 20
    assert unicodedata.is_normalized("NFC", name)
    assert name.strip("\u200b\ufeff\u3000 \n\t") == name
    assert not any(unicodedata.category(character) == "Cc" for character in name)
    assert names.clean(name) == name


@given(st.text())
def test_what_surrounds_a_name_never_matters(typed: str) -> None:
    def outcome(text: str) -> str:
        try:
            return names.clean(text)
        except ValueError as error:
            return f"refused: {error}"

    assert outcome(typed) == outcome(f"\u3000\u200b {typed} \n\ufeff")


def test_bytes_that_are_no_text_are_no_name_however_they_were_decoded() -> None:
    for broken in (b"\xff", b"\xe5\xb1", b"Taro\xc0\xaf", b"\xed\xa0\x80", "山".encode("cp932")):
        with pytest.raises(ValueError, match="U\\+FFFD"):
            names.clean(broken.decode("utf-8", "replace"))


def test_what_is_invisible_is_what_unicode_says_of_every_character_that_it_has() -> None:
    blanks = set("\u115f\u1160\u2800\u3164\uffa0")
    for character in map(chr, range(sys.maxunicode + 1)):
        category = unicodedata.category(character)
        if category in {"Cn", "Co", "Cs"} or 0xE0000 <= ord(character) <= 0xE0FFF:
            continue
        said = category[0] in "MZ" or category in {"Cc", "Cf"} or character in blanks
        assert said is (_VISIBLE.search(character) is None), hex(ord(character))


def test_what_is_trimmed_is_not_seen_and_composes_with_nothing() -> None:
    for character in TRIMMED:
        assert _VISIBLE.search(character) is None
        assert _COMPOSING.search(character) is None


@pytest.mark.proof
def test_what_composes_is_what_unicode_says_of_every_character_that_it_has() -> None:
    later = {
        part
        for character in map(chr, range(sys.maxunicode + 1))
        if unicodedata.is_normalized("NFC", character)
        for part in unicodedata.normalize("NFD", character)[1:]
    }
    for character in map(chr, range(sys.maxunicode + 1)):
        if unicodedata.category(character) != "Cn":
            said = unicodedata.normalize("NFD", character)[0] in later
            assert said is (_COMPOSING.search(character) is not None), hex(ord(character))


def test_every_noncharacter_is_forbidden() -> None:
    noncharacters = [*range(0xFDD0, 0xFDF0)]
    noncharacters += [
        plane + last for plane in range(0, 0x110000, 0x10000) for last in (65534, 65535)
    ]
    assert len(noncharacters) == 66
    for code_point in noncharacters:
        with pytest.raises(ValueError, match="noncharacters"):
            names.clean(f"a{chr(code_point)}")
