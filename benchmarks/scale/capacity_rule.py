"""What DynamoDB bills for a request on demand, by AWS's documented rules.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html and
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
"""

from __future__ import annotations

import base64
from math import ceil
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from benchmarks.scale.capacity_proxy import TableRequest

READ_BYTES: Final = 4096
WRITE_BYTES: Final = 1024


def units(request: TableRequest) -> float:
    """Return the read or write units of a request.

    A read of nothing costs the least there is, and so does a write of an item whose size is not
    known. A write whose condition fails costs what it would have cost. An update costs the larger
    of the item before and after: none of ours makes a room shrink by a kilobyte.
    """
    size = item_bytes(request.item) if request.item else 1
    if request.action == "GetItem":
        return ceil(size / READ_BYTES) * (1 if request.is_consistent else 0.5)
    return ceil(size / WRITE_BYTES)


def item_bytes(item: dict[str, Any]) -> int:
    """Return the size of an item in DynamoDB's JSON, in bytes."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: dict[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "B":
            return len(base64.b64decode(content))
        case "N":  # about a byte for two digits, and one more
            return ceil(len(content.lstrip("-").replace(".", "").strip("0") or "0") / 2) + 1
        case "M":  # three bytes, and one for each entry
            return 3 + item_bytes(content) + len(content)
        case "L":
            return 3 + sum(_value_bytes(entry) + 1 for entry in content)
        case "BOOL" | "NULL":
            return 1
    raise ValueError(f"no item of ours has a value of type {kind}")
