"""The operations that are measured are really done, and DynamoDB Local agrees with AWS's rules."""

import pytest

from benchmarks.scale.operations import STEPS, Operations, measure

pytestmark = pytest.mark.proof

EXPECTED = {
    "create, new client": (200, ("GetItem", "PutItem", "UpdateItem"), 0.5, 2),
    "create": (200, ("PutItem", "UpdateItem"), 0, 2),
    "join": (200, ("UpdateItem",), 0, 1),
    "join, full": (409, ("UpdateItem",), 0, 1),
    "get, new client": (200, ("GetItem", "GetItem"), 1.5, 0),
    "get": (200, ("GetItem",), 1, 0),
    "get, not modified": (304, ("GetItem",), 1, 0),
    "no such room": (404, ("GetItem", "UpdateItem"), 1, 1),
    "leave": (200, ("GetItem", "UpdateItem"), 1, 1),
    "last leave": (200, ("GetItem", "UpdateItem"), 1, 1),
}


@pytest.fixture(scope="module")
def operations() -> Operations:
    return measure(rounds=1, repeats=2)


def test_each_operation_sends_what_it_should(operations: Operations) -> None:
    found = {
        name: (one.status, one.actions, one.read_units, one.write_units)
        for name, one in operations.by_name.items()
    }

    assert tuple(EXPECTED) == STEPS
    assert found == EXPECTED


def test_dynamodb_local_agrees_with_the_rules(operations: Operations) -> None:
    for one in operations.by_name.values():
        if None in one.told:
            assert one.name == "join, full"  # of a failed write it says nothing
        else:
            assert sum(told or 0 for told in one.told) == one.read_units + one.write_units


def test_times_and_sizes_are_there(operations: Operations) -> None:
    assert all(one.cpu_ms > 0 and one.wall_ms > 0 for one in operations.by_name.values())
    assert all(100 < one.log_bytes < 1000 for one in operations.by_name.values())
    assert operations.start_ms > 0
    assert operations.start_cpu_ms > 0
    assert operations.by_name["get"].answer_bytes > 500
    assert operations.room_bytes < 1024 < operations.largest_room_bytes
