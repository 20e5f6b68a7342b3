from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_src.rooms import codes
from tests.support.rooms.code_cases import NO_CODE, SAME_CODE

CODE = st.text(codes.ALPHABET, min_size=6, max_size=6)


@pytest.mark.parametrize("typed", SAME_CODE)
def test_however_it_is_typed_it_is_the_same_code(typed: str) -> None:
    assert codes.fold(typed) == "BCD234"


@pytest.mark.parametrize("typed", NO_CODE)
def test_what_cannot_be_a_code_is_none(typed: str) -> None:
    assert codes.fold(typed) is None


@given(st.text())
def test_folding_gives_a_code_that_folds_to_itself_or_none(typed: str) -> None:
    code = codes.fold(typed)
    assert code is None or (set(code) <= set(codes.ALPHABET) and codes.fold(code) == code)


@given(CODE)
def test_every_code_folds_to_itself(code: str) -> None:
    assert codes.fold(code) == code


@given(st.binary(min_size=32, max_size=32))
def test_entropy_becomes_a_code(entropy: bytes) -> None:
    assert codes.fold(codes.encode(entropy)) == codes.encode(entropy)


def test_every_symbol_comes_equally_often_in_every_place() -> None:
    size = len(codes.ALPHABET)
    for place in range(codes.LENGTH):
        drawn = Counter(
            codes.encode((digit * size**place).to_bytes(32, "big"))[place] for digit in range(size)
        )
        assert drawn == Counter(codes.ALPHABET)


def test_the_alphabet_has_no_vowels_and_no_look_alikes() -> None:
    assert not set(codes.ALPHABET) & set("AEIOU01L")
    assert len(set(codes.ALPHABET)) == 27
