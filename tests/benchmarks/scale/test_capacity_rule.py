"""Units of the table, as AWS's rules have them."""

from typing import Any

import pytest

from benchmarks.scale.capacity_proxy import TableRequest
from benchmarks.scale.capacity_rule import item_bytes, units


def _request(action: str, size: int | None, *, is_consistent: bool = True) -> TableRequest:
    item = None if size is None else {"a": {"S": "x" * (size - 1)}}
    return TableRequest(action, 200, None, is_consistent, item)


@pytest.mark.parametrize(
    ("action", "size", "expected"),
    [
        ("GetItem", None, 1),
        ("GetItem", 4096, 1),
        ("GetItem", 4097, 2),
        ("PutItem", 1024, 1),
        ("PutItem", 1025, 2),
        ("UpdateItem", None, 1),
        ("UpdateItem", 3500, 4),
    ],
)
def test_units(action: str, size: int | None, expected: float) -> None:
    assert units(_request(action, size)) == expected


def test_a_read_that_may_be_late_costs_half() -> None:
    assert units(_request("GetItem", 4097, is_consistent=False)) == 1
    assert units(_request("GetItem", None, is_consistent=False)) == 0.5


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"name": {"S": "漢字"}}, 4 + 6),
        ({"b": {"B": "AAEC"}}, 1 + 3),
        ({"n": {"N": "1234"}}, 1 + 3),
        ({"m": {"M": {"k": {"S": "v"}}}}, 1 + 3 + 1 + 1 + 1),
        ({"l": {"L": [{"S": "v"}, {"BOOL": True}]}}, 1 + 3 + 2 + 2),
    ],
)
def test_bytes_of_an_item(item: dict[str, Any], expected: int) -> None:
    assert item_bytes(item) == expected
