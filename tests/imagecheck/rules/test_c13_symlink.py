"""C13: the entrypoint is a symlink."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import PROGRAM, Case, bad_start, scratch
from tests.support.imagecheck.images import File, Member, Symlink


def _links(count: int) -> tuple[Member, ...]:
    """Return /run as so many links, one after the other, to a program."""
    links = [Symlink(f"l{number}", f"l{number + 1}") for number in range(1, count)]
    return (Symlink("run", "l1"), *links, File(f"l{count}", PROGRAM, 0o755))


CASES = (
    bad_start("c13-dangling", "C13", scratch(Symlink("run", "nowhere"))),
    bad_start("c13-loop", "C13", scratch(Symlink("run", "there"), Symlink("there", "run"))),
    bad_start("c13-41-links", "C13", scratch(*_links(41))),
    Case(name="c13-good-40-links", make=scratch(*_links(40)), is_started=True),
    Case(
        name="c13-good-symlinked-entrypoint",
        make=scratch(Symlink("run", "/app/it"), File("app/it", PROGRAM, 0o755)),
        is_started=True,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_c13(case: Case, finds: Finds) -> None:
    finds(case)
