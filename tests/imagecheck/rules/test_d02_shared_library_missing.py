"""D2: shared libraries are missing."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import (
    APP,
    EXIT_ERROR,
    HANDLER,
    IMPORT_ERROR,
    Case,
    bad_start,
    python,
    runtime_file,
)
from tests.support.imagecheck.images import File, Image, Whiteout


def _without_libm(folder: Path) -> Image:
    return python(APP, Whiteout(runtime_file("/libm.so.6").path))(folder)


def _with_older_libm(folder: Path) -> Image:
    """Replace a library by one whose newest version has another name."""
    libm = runtime_file("/libm.so.6")
    assert isinstance(libm.content, bytes)
    older = replace(libm, content=libm.content.replace(b"GLIBC_2.29\0", b"GLIBC_2.92\0"))
    return python(APP, older)(folder)


def _without_sqlite(folder: Path) -> Image:
    handler = File("var/task/app.py", "import sqlite3\n" + HANDLER)
    return python(handler, Whiteout(runtime_file("/libsqlite3.so.0").path))(folder)


CASES = (
    bad_start("d2-no-library-of-pythons-own", "D2", _without_sqlite, error_type=IMPORT_ERROR),
    bad_start("d2-no-libm", "D2", _without_libm, error_type=EXIT_ERROR),
    bad_start("d2-older-libm", "D2", _with_older_libm, error_type=EXIT_ERROR),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_d2(case: Case, finds: Finds) -> None:
    finds(case)
