"""E7: native modules of another CPU or libc."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.imagecheck.cases import (
    FOREIGN,
    HANDLER,
    IMPORT_ERROR,
    NODE_HANDLER,
    PROGRAM,
    Case,
    E,
    app,
    bad_handler,
    node,
    run,
    runtime_file,
    scratch,
)
from tests.imagecheck.images import Directory, File, Image
from tests.imagecheck.programs import AARCH64, X86_64, tiny_elf
from tests.imagecheck.rules.conftest import Finds


def _glibc_module_on_musl(folder: Path) -> Image:
    """Write what `pip install` on Debian and a copy to Alpine make."""
    loader = "/lib/ld-musl-x86_64.so.1"
    return scratch(
        run(tiny_elf(interpreter=loader)),
        File(loader, PROGRAM, 0o755),
        replace(runtime_file("/libm.so.6"), path="app/fast.so"),
        workdir="/app",
    )(folder)


CASES = (
    bad_handler(
        "e7-other-cpu",
        "E7",
        IMPORT_ERROR,
        "app.handler",
        *app("import fast\n" + HANDLER, File("var/task/fast.so", FOREIGN, 0o755)),
    ),
    Case(
        name="e7-node-other-cpu",
        make=node(
            File("var/task/index.js", NODE_HANDLER),
            *(Directory(f"var/task/node_modules{more}") for more in ("", "/sharp")),
            File("var/task/node_modules/sharp/sharp-linux-x64.node", FOREIGN, 0o755),
        ),
        findings={"E7": E},
        error_type=IMPORT_ERROR,
    ),
    Case(
        name="e7-glibc-module-on-musl",
        make=_glibc_module_on_musl,
        findings={"E7": E},
        error_type=IMPORT_ERROR,
    ),
    Case(
        name="e7-node-one-of-each-cpu",
        make=node(
            File("var/task/index.js", NODE_HANDLER),
            File("var/task/sharp-linux-x64.node", tiny_elf(machine=X86_64), 0o755),
            File("var/task/sharp-linux-arm64.node", tiny_elf(machine=AARCH64), 0o755),
        ),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_e7(case: Case, finds: Finds) -> None:
    finds(case)
