"""C12: not a Linux program."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import PROGRAM, Case, bad_start, run, scratch
from tests.support.imagecheck.programs import tiny_elf

CASES = (
    *(
        bad_start(f"c12-{name}", "C12", scratch(run(content)))
        for name, content in {
            "ar-archive": b"!<arch>\nrooms",
            "macos": b"\xcf\xfa\xed\xfe" + bytes(60),
            "windows": b"MZ" + bytes(60),
            "zip": b"PK\x03\x04" + bytes(60),
            "program-cut-off": PROGRAM[:70],
            "loader-without-a-name": tiny_elf(interpreter=""),
        }.items()
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_c12(case: Case, finds: Finds) -> None:
    finds(case)
