"""E7: native modules of another CPU or libc."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from imagecheck.budget import Budget
from imagecheck.image.filesystem import Node
from imagecheck.image.layer import MAX_FILE_BYTES
from imagecheck.image.layer_cache import LayerCache
from imagecheck.rules.e07_wrong_native_module import RULE
from local.practice.base_files import SITE_PACKAGES
from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import (
    APP,
    FOREIGN,
    HANDLER,
    HOST_CPU,
    IMPORT_ERROR,
    NODE_HANDLER,
    PROGRAM,
    Case,
    W,
    app,
    bad_handler,
    check_case,
    node,
    python,
    run,
    runtime_file,
    scratch,
)
from tests.support.imagecheck.images import File, Image, Member
from tests.support.imagecheck.programs import AARCH64, OTHER_MACHINE, X86_64, tiny_elf


def _glibc_module_on_musl(folder: Path) -> Image:
    """Write what `pip install` on Debian and a copy to Alpine make."""
    loader = "/lib/ld-musl-x86_64.so.1"
    return scratch(
        run(tiny_elf(interpreter=loader)),
        File(loader, PROGRAM, 0o755),
        replace(runtime_file("/libm.so.6"), path="app/fast.so"),
        workdir="/app",
    )(folder)


def _in_numpy_like(*endings: str) -> tuple[Member, ...]:
    """Return a package that is imported as numpy is: what is missing is raised again."""
    return app(
        "import fastmod\n" + HANDLER,
        File(
            "var/task/fastmod/__init__.py",
            "try:\n    from . import core\nexcept ImportError as error:\n    raise error\n",
        ),
        File("var/task/fastmod/core.py", "from ._core import add\n"),
        *(File(f"var/task/fastmod/_core{name}", FOREIGN) for name in endings),
    )


def _prebuilds(*names: str, content: bytes = PROGRAM) -> tuple[Member, ...]:
    folder = "var/task/node_modules/metrics"
    return (
        File("var/task/index.js", NODE_HANDLER),
        File(f"{folder}/package.json", '{"name": "metrics"}'),
        *(File(f"{folder}/prebuilds/{name}", content) for name in names),
    )


OTHER_WORDS = {X86_64: "x86_64", AARCH64: "aarch64"}[OTHER_MACHINE]
ARM_32 = PROGRAM[:18] + (40).to_bytes(2, "little") + PROGRAM[20:]
MACH_O = b"\xcf\xfa\xed\xfe\x0c\0\0\x01" + bytes(200)
HOST_WORDS = {"x86_64": "x64", "arm64": "arm64"}[HOST_CPU]

CASES = (
    bad_handler(
        "e7-other-cpu",
        "E7",
        IMPORT_ERROR,
        "app.handler",
        *app("import fast\n" + HANDLER, File("var/task/fast.so", FOREIGN, 0o755)),
    ),
    bad_handler(
        "e7-mach-o",
        "E7",
        IMPORT_ERROR,
        "app.handler",
        *app("import fast\n" + HANDLER, File("var/task/fast.so", MACH_O)),
    ),
    *(
        bad_handler(
            f"e7-{name}",
            "E7",
            IMPORT_ERROR,
            "app.handler",
            *app("import fast\n" + HANDLER, File("var/task/fast.abi3.so", text)),
        )
        for name, text in {
            "empty": "",
            "pointer": "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        }.items()
    ),
    bad_handler(
        "e7-other-cpu-behind-a-package",
        "E7",
        IMPORT_ERROR,
        "app.handler",
        *_in_numpy_like(f".cpython-311-{OTHER_WORDS}-linux-gnu.so"),
    ),
    bad_handler(
        "e7-other-cpu-in-site-packages",
        "E7",
        IMPORT_ERROR,
        "app.handler",
        *app("import fast\n" + HANDLER, File(f"{SITE_PACKAGES}/fast.abi3.so", FOREIGN)),
    ),
    bad_handler(
        "e7-other-cpu-behind-a-condition",
        "E7",
        IMPORT_ERROR,
        "app.handler",
        *app(
            "import fast\n" + HANDLER,
            File(
                f"{SITE_PACKAGES}/fast/__init__.py",
                "import sys\n\nif sys.platform != 'win32':\n    from ._c import add\n",
            ),
            File(f"{SITE_PACKAGES}/fast/_c.abi3.so", FOREIGN),
        ),
    ),
    Case(
        name="e7-not-loaded",
        make=python(APP, File("var/task/fast/__init__.py"), File("var/task/fast/_c.so", FOREIGN)),
        findings={"E7": W},
        is_started=True,
    ),
    Case(
        name="e7-can-do-without",
        make=python(
            *app(
                "import fast\n" + HANDLER,
                File(
                    "var/task/fast/__init__.py",
                    "try:\n    from ._c import add\nexcept ImportError:\n    add = sum\n",
                ),
                File("var/task/fast/_c.abi3.so", FOREIGN),
            )
        ),
        findings={"E7": W},
        is_started=True,
    ),
    Case(
        name="e7-node-other-cpu",
        make=node(*_prebuilds("linux-x64/metrics.node", content=FOREIGN)),
        findings={"E7": W},
    ),
    Case(
        name="e7-node-mach-o",
        make=node(*_prebuilds("linux-x64/metrics.node", content=MACH_O)),
        findings={"E7": W},
    ),
    Case(
        name="e7-glibc-module-on-musl",
        make=_glibc_module_on_musl,
        findings={"E7": W},
    ),
    Case(
        name="e7-good-one-of-each-cpu",
        make=node(
            File("var/task/index.js", NODE_HANDLER),
            File("var/task/sharp-linux-x64.node", tiny_elf(machine=X86_64), 0o755),
            File("var/task/sharp-linux-arm64.node", tiny_elf(machine=AARCH64), 0o755),
        ),
    ),
    Case(
        name="e7-good-a-package-for-each-platform",
        make=node(
            File("var/task/index.js", NODE_HANDLER),
            *(
                File(f"var/task/node_modules/@img/sharp-{name}/lib/sharp-{name}.node", content)
                for name, content in (
                    (f"linux-{HOST_WORDS}", PROGRAM),
                    ("linuxmusl-arm", ARM_32),
                    ("darwin-arm64", MACH_O),
                )
            ),
        ),
    ),
    Case(
        name="e7-good-prebuilds",
        make=node(
            *_prebuilds("linux-here/metrics.abi127.armv8.glibc.node", "freebsd-x64/metrics.node"),
            *_prebuilds("linux-arm/metrics.armv7.node", "linux-ia32/a.node", content=ARM_32)[2:],
            *_prebuilds("win32-x64/metrics.node", content=b"MZ" + bytes(60))[2:],
        ),
    ),
    Case(
        name="e7-good-only-for-macos",
        make=node(
            File("var/task/index.js", NODE_HANDLER),
            File("var/task/node_modules/fsevents/package.json", '{"os": ["darwin"]}'),
            File("var/task/node_modules/fsevents/fsevents.node", MACH_O),
        ),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_e7(case: Case, finds: Finds) -> None:
    finds(case)


def test_however_many_packages_are_wrong_the_layers_are_read_as_often(tmp_path: Path) -> None:
    few, many = (_reads(tmp_path / str(count), count) for count in (2, 12))

    assert few == many


def _reads(folder: Path, count: int) -> int:
    """Return how often contents are asked for when so many wrong packages are loaded."""
    packages = [
        File(f"var/task/node_modules/@p{number}/{name}", content)
        for number in range(count)
        for name, content in (
            ("x/package.json", '{"optionalDependencies": {"@p/x-linux-s390x": "1"}}'),
            ("x/index.js", ""),
            ("x-linux-s390x/x.node", FOREIGN),
        )
    ]
    text = "".join(f"require('@p{number}/x');\n" for number in range(count))
    case = Case(name="many", make=node(File("var/task/index.js", text + NODE_HANDLER), *packages))
    subject = check_case(case, case.write(folder), LayerCache(None)).subject
    asked = []

    def contents(nodes: Iterable[Node], limit: int = MAX_FILE_BYTES, /) -> Mapping[str, bytes]:
        asked.append(limit)
        return subject.contents(nodes, limit)

    list(RULE.check(replace(subject, contents=contents, budget=Budget())))
    return len(asked)
