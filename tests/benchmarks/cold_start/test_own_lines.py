"""A line of code is one that somebody has to read for what it does."""

import pytest

from benchmarks.cold_start.catalogue import OURS, PEERS, Kind, own_code
from benchmarks.cold_start.own_lines import lines_of_code


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("", 0),
        ("x = 1\n\n\n# Why.\ny = 2  # and why\n", 2),
        ('"""What it is.\n\nMore.\n"""\n\nx = 1\n', 1),
        ('def f():\n    """Return.\n\n    All.\n    """\n    return 1\n', 2),
        ("x = (\n    1,\n    # the second\n    2,\n)\n", 4),
        ('x = """\na\n"""\n', 3),
    ],
)
def test_lines_are_counted(source: str, count: int) -> None:
    assert lines_of_code(source) == count


def test_every_signer_has_lines_to_keep() -> None:
    for peer in PEERS:
        if peer.kind is Kind.CANDIDATE and peer.own_code:
            assert all(lines_of_code(path.read_text()) > 10 for path in own_code(peer))


def test_ours_are_all_modules_between_the_store_and_the_network() -> None:
    (ours,) = (peer for peer in PEERS if peer.name == OURS)
    names = {path.stem for path in own_code(ours)}

    assert {"answer", "connection", "dynamodb", "transport"} <= names
    assert not names & {"errors", "main", "service", "store"}
