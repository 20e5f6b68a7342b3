"""Prices: steps, what is free, and where they were read."""

import datetime

import pytest

from benchmarks.scale import prices
from benchmarks.scale.prices import Price

ALL = {name: value for name, value in vars(prices).items() if isinstance(value, Price)}
STEPS = Price("GB", ((10, 1.0), (20, 0.5), (float("inf"), 0.25)), "https://example.com", "AWS", 5)


@pytest.mark.parametrize(
    ("units", "dollars"), [(0, 0), (4, 4), (10, 10), (12, 11), (30, 20), (34, 21)]
)
def test_each_step_has_its_own_price(units: float, dollars: float) -> None:
    assert STEPS.of(units) == dollars


@pytest.mark.parametrize(("units", "dollars"), [(0, 0), (5, 0), (6, 1), (17, 11)])
def test_what_is_free_comes_first(units: float, dollars: float) -> None:
    assert STEPS.of(units, with_free=True) == dollars


@pytest.mark.parametrize("name", ALL)
def test_every_price_has_a_source_and_no_end(name: str) -> None:
    price = ALL[name]
    assert price.source.startswith("https://")
    assert price.tiers[-1][0] == float("inf")
    each = [dollars for _, dollars in price.tiers]
    assert each == sorted(each, reverse=True)
    assert all(dollars > 0 for dollars in each)
    if price.read == "AWS":
        assert "aws.amazon.com" in price.source


def test_the_date_is_one() -> None:
    assert datetime.date.fromisoformat(prices.READ_ON) >= datetime.date(2026, 11, 28)
