"""Differences of two JSON values."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.pipeline.changes.values import is_same, value_changes

Told = list[tuple[str, str | None, str | None]]


def told(old: Any, new: Any) -> Told:
    changes = value_changes("P", {"P": old}, {"P": new})
    return [(change.path, change.old, change.new) for change in changes]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (1, 2, [("P", "1", "2")]),
        (1, True, [("P", "1", "true")]),
        ("1", 1, [("P", '"1"', "1")]),
        (None, "", [("P", "null", '""')]),
        ({"a": 1, "b": {"c": 2}}, {"a": 1, "b": {"c": 3}}, [("P.b.c", "2", "3")]),
        ({"a": 1}, {"b": 1}, [("P.a", "1", None), ("P.b", None, "1")]),
        ([{"a": 1}, 2], [{"a": 3}, 2], [("P[0].a", "1", "3")]),
        ([1, 2, 3], [1, 9, 2, 3], [("P[1]", None, "9")]),
        ([1, 9, 2, 3], [1, 2, 3], [("P[1]", "9", None)]),
        ([1, 1], [1, 1, 1], [("P[2]", None, "1")]),
        ([1, 2], [1, 3, 4, 2], [("P[1]", None, "3"), ("P[2]", None, "4")]),
        ([], ["ü"], [("P[0]", None, '"ü"')]),
        ({"Ref": "A"}, {"Ref": "B"}, [("P", '{"Ref":"A"}', '{"Ref":"B"}')]),
        ({"Ref": "A"}, {"x": 1}, [("P", '{"Ref":"A"}', '{"x":1}')]),
        ({"b": 1, "a": 2}, {"a": 2, "b": 1}, []),
    ],
)
def test_differences_are_told_as_deep_as_they_are(old: Any, new: Any, expected: Told) -> None:
    assert told(old, new) == expected


def test_the_order_of_members_is_no_difference() -> None:
    assert is_same([{"a": 1, "b": 2}], [{"b": 2, "a": 1}])
    assert not is_same([1, 2], [2, 1])


def test_a_member_that_is_there_on_one_side_only() -> None:
    assert [(c.old, c.new) for c in value_changes("P", {}, {"P": None})] == [(None, "null")]
    assert [(c.old, c.new) for c in value_changes("P", {"P": 1}, {})] == [("1", None)]
    assert not list(value_changes("P", {}, {"Q": 1}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "1", "a"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "Ref", "Fn::Sub"]), inner, max_size=2)
    ),
    max_leaves=8,
)


@given(JSON, JSON)
def test_something_is_told_just_where_something_differs(old: Any, new: Any) -> None:
    assert bool(told(old, new)) is not is_same(old, new)
    assert all(before != after for _, before, after in told(old, new))
