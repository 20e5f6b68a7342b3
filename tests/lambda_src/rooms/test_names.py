import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_src.rooms import names

CASES: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("name_cases.json").read_text(encoding="utf-8")
)


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
