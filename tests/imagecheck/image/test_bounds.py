"""Small images that were made to keep a check busy: they are read fast, or the check ends."""

import pytest

from imagecheck.budget import Budget
from imagecheck.image.errors import ImageReadError
from imagecheck.image.filesystem import FileSystem
from tests.support.imagecheck.images import Directory, File, HardLink, Member, Symlink, layer_of
from tests.support.imagecheck.reading import learned

STEPS = 2_000_000


def chain(end: str) -> list[Member]:
    """Links, each over two thousand steps to the next one."""
    long_way = "./" * 1900
    return [Symlink(f"l{n}", f"{long_way}l{n + 1}" if n < 38 else end) for n in range(39)]


def merge(*members: Member) -> FileSystem:
    return FileSystem([learned(layer_of(*members, parents=False))], Budget(steps=STEPS))


def test_files_behind_a_chain_of_links() -> None:
    files = merge(Directory("a"), *chain("a"), *(File(f"l0/d{n}/f") for n in range(2000)))

    assert files.find("/a/d1999/f")


def test_files_behind_a_chain_that_leads_nowhere() -> None:
    links = (HardLink(f"h{n}", f"l0/q{n}") for n in range(500))

    assert len(merge(*chain("nowhere/x"), File("nowhere"), *links).broken) == 500


def test_links_in_circles() -> None:
    circle = [Symlink(f"l{n}", "./" * 1900 + f"l{(n + 1) % 30}") for n in range(30)]

    assert len(merge(*circle, *(File(f"l{n % 30}/f{n}") for n in range(500))).broken) == 500


@pytest.mark.proof
def test_a_chain_that_is_replaced_again_and_again_ends_the_check() -> None:
    changes = [
        member
        for n in range(500)
        for member in (File(f"l0/d{n}/f"), Symlink("x", "y"), Symlink("x", "z"))
    ]

    with pytest.raises(ImageReadError, match="more steps"):
        merge(Directory("a"), *chain("a"), *changes)


@pytest.mark.proof
def test_a_walk_through_the_files_again_and_again_ends_the_check() -> None:
    files = merge(*(File(f"f{n}") for n in range(1000)))

    with pytest.raises(ImageReadError, match="more steps"):
        for _ in range(STEPS // 1000):
            list(files.below("/"))
