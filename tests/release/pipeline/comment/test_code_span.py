"""A stranger's text in Markdown."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from release.pipeline.comment.markdown import MAX_SHOWN, code, code_pair


def shown(markdown: str) -> str:
    """Return what a reader sees of a line that has nothing but one piece of code."""
    (paragraph,) = (one for one in MarkdownIt().parse(markdown) if one.type == "inline")
    (only,) = paragraph.children or []
    assert only.type == "code_inline"
    return only.content


@pytest.mark.parametrize(
    "text",
    ["a", "`", "``a`", "a`", " a ", "|", "\\", "<!-- -->", "@someone", "#1", "日本語", "a\\`b"],
)
def test_what_can_be_seen_is_shown_as_it_is(text: str) -> None:
    assert shown(code(text)) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\nb", "a\\nb"),
        ("\r\t", "\\r\\t"),
        ("\u2028", "\\u2028"),
        ("\u202eabc", "\\u202eabc"),
        ("\u200b", "\\u200b"),
        ("e\u0301", "e\\u0301"),
        ("\u05d0", "\\u05d0"),
        ("\u3164", "\\u3164"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_what_cannot_be_seen_is_written_out(text: str, expected: str) -> None:
    assert shown(code(text)) == expected


def test_nothing_is_said_to_be_empty() -> None:
    assert code("") == "*empty*"


@given(st.text(min_size=1))
@example("`" * 300)
@example("\u202e" * 300)
def test_no_text_gets_out_of_its_place(text: str) -> None:
    markdown = code(text)
    assert len(shown(markdown)) <= MAX_SHOWN + 1
    assert "\n" not in markdown
    assert markdown.isprintable()


def test_a_long_text_is_cut() -> None:
    assert shown(code("a" * 200)) == "a" * MAX_SHOWN + "…"
    assert shown(code("a" * MAX_SHOWN)) == "a" * MAX_SHOWN


def test_two_long_texts_are_shown_from_where_they_differ() -> None:
    same = "same " * 100
    old, new = map(shown, code_pair(f"{same}old", f"{same}new"))
    assert old.startswith("…")
    assert (old[-8:], new[-8:]) == ("same old", "same new")
    assert len(old) < 40
    assert code_pair("a", "b") == ("`a`", "`b`")
    longer = tuple(map(shown, code_pair(same, f"{same}more")))
    assert longer[1].endswith("more")
