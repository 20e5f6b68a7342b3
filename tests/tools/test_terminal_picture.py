"""The picture in the README is of what the command prints today, and loads nothing."""

import html
import re

from tests.support.documents import document
from tests.support.imagecheck.example import COMMAND
from tools import terminal_picture

SVG = terminal_picture.PATH.read_text(encoding="utf-8")


def lines() -> list[str]:
    """The lines of text, from top to bottom; pieces of one line have the same height."""
    texts = re.findall(r'<text [^>]*?y="([\d.]+)"[^>]*>([^<]*)</text>', SVG)
    rows: dict[float, str] = {}
    for height, text in texts:
        rows[float(height)] = rows.get(float(height), "") + html.unescape(text).replace("\xa0", " ")
    return [rows[height].rstrip() for height in sorted(rows)]


def test_the_committed_picture_is_the_generated_one() -> None:
    assert terminal_picture.picture() == SVG, (
        "docs/pictures/check.svg is stale: run `make pictures`"
    )


def test_it_shows_what_the_documents_quote() -> None:
    (quoted, *_) = document("docs/lambda-image-check.md").blocks("text")
    shown = lines()
    command = next(number for number, line in enumerate(shown) if line.startswith("$ "))

    assert shown[command] == f"$ {COMMAND}"
    assert [line for line in shown[command + 1 :] if line] == [
        line for line in quoted.splitlines() if line
    ]


def test_it_loads_nothing_from_anywhere() -> None:
    addresses = set(re.findall(r"https?://[^\s\"'<)]+", SVG))

    assert "@font-face" not in SVG
    assert "url(http" not in SVG
    assert addresses == {
        "http://www.w3.org/2000/svg",
        "https://github.com/hima-five-bomber/rooms/blob/main/docs/rules.md#c1",
    }
