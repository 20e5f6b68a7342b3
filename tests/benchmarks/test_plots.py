"""The pictures: their text is text, legible on light and dark pages, and they are reproducible."""

import subprocess
import sys
from xml.etree import ElementTree

import pytest

from benchmarks.plots import COLOURS, GREY, bars, lines

BARS = (
    "from benchmarks.plots import bars;"
    "print(bars(['theirs', 'ours & co'], {'cold': [1, 0.35], 'CPU': [1, None]}, axis='ratio',"
    " yardstick=1), end='')"
)


def _texts(svg: str) -> list[str]:
    return [text for found in _all(svg, "text") if (text := found.text)]


def _all(svg: str, tag: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(svg).iter(f"{{http://www.w3.org/2000/svg}}{tag}"))


def _brightness(colour: str) -> float:
    """Relative luminance: https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    dark, light = sorted((_brightness(one), _brightness(other)))
    return (light + 0.05) / (dark + 0.05)


def test_bars_name_what_they_compare() -> None:
    svg = bars(["theirs", "ours & co"], {"cold": [1, 0.35], "CPU": [1, None]}, axis="ratio")

    texts = _texts(svg)
    assert {"theirs", "ours & co", "cold", "CPU", "ratio", "0.35"} <= set(texts)
    assert texts.index("theirs") < texts.index("ours & co")


def test_lines_name_their_axes() -> None:
    svg = lines({"here": [(0, 1), (1, 20)], "there": [(0, 3)]}, x_axis="min", y_axis="requests/s")

    assert {"here", "there", "min", "requests/s"} <= set(_texts(svg))


def test_a_logarithmic_axis_leaves_zero_out() -> None:
    points = [(1.0, 5.0), (2.0, 50.0)]
    with_zero = lines({"a": [(0, 0), *points]}, x_axis="x", y_axis="y", logarithmic=True)

    assert with_zero == lines({"a": points}, x_axis="x", y_axis="y", logarithmic=True)
    assert with_zero != lines({"a": points}, x_axis="x", y_axis="y")


def test_numbers_are_written_out() -> None:
    texts = _texts(bars(["one"], {"a": [1490], "b": [0.351]}, axis="requests"))
    assert {"1,490", "0.351"} <= set(texts)


@pytest.mark.proof
def test_the_same_figures_give_the_same_picture() -> None:
    """Also in another process, where hashes of strings are others."""
    here = bars(
        ["theirs", "ours & co"], {"cold": [1, 0.35], "CPU": [1, None]}, axis="ratio", yardstick=1
    )
    there = subprocess.run(
        [sys.executable, "-c", BARS], check=True, capture_output=True, text=True, timeout=120
    ).stdout

    assert here == there


@pytest.mark.parametrize("page", ["#ffffff", "#000000"])
def test_it_is_legible_on_light_and_dark_pages(page: str) -> None:
    assert _contrast(GREY, page) >= 4
    for colour in COLOURS:  # https://www.w3.org/TR/WCAG22/#non-text-contrast asks for 3
        assert _contrast(colour, page) >= 2


def test_it_has_no_background() -> None:
    svg = lines({"a": [(0, 1), (1, 2)]}, x_axis="x", y_axis="y")

    white = [path for path in _all(svg, "path") if "fill: #ffffff" in path.get("style", "")]
    assert not white
    assert all(GREY in text.get("style", "") for text in _all(svg, "text"))
