"""The page's messages: complete in both languages, with one for every error code."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page

from lambda_src.rooms.errors import ErrorCode
from tests.support.sampling import mostly_proofs


@pytest.fixture
def messages(page: Page) -> dict[str, dict[str, str]]:
    found: Any = page.evaluate('async () => (await import("/assets/messages.js")).MESSAGES')
    return dict(found)


def test_both_languages_say_the_same_things_with_the_same_parts(
    messages: dict[str, dict[str, str]],
) -> None:
    ja, en = messages["ja"], messages["en"]
    assert {*ja} == {*en}
    for key, text in ja.items():
        assert text.strip()
        assert {*re.findall(r"\{\w+\}", text)} == {*re.findall(r"\{\w+\}", en[key])}, key


@pytest.mark.parametrize("code", mostly_proofs([*ErrorCode, "NETWORK", "THROTTLED"]), ids=str)
def test_there_are_words_for_every_refusal(
    messages: dict[str, dict[str, str]], code: ErrorCode | str
) -> None:
    name = code if isinstance(code, str) else code.name
    assert all(len(messages[language][name]) > 10 for language in ("ja", "en"))
