"""E2: the handler's module cannot be imported."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import (
    APP,
    HANDLER,
    IMPORT_ERROR,
    NODE_HANDLER,
    Case,
    E,
    W,
    app,
    bad_handler,
    bad_start,
    node,
    python,
)
from tests.support.imagecheck.images import Directory, File

CASES = (
    bad_handler("e2-no-module", "E2", IMPORT_ERROR, "main.handler", APP),
    bad_handler("e2-no-package", "E2", IMPORT_ERROR, "rooms.app.handler", APP),
    bad_handler("e2-module-in-no-package", "E2", IMPORT_ERROR, "app.main.handler", APP),
    bad_handler(
        "e2-no-dependency", "E2", IMPORT_ERROR, "app.handler", *app("import requests\n" + HANDLER)
    ),
    bad_handler(
        "e2-no-dependency-of-another-module",
        "E2",
        IMPORT_ERROR,
        "rooms.app.handler",
        Directory("var/task/rooms"),
        File("var/task/rooms/app.py", "from . import store\n" + HANDLER),
        File("var/task/rooms/store.py", "from requests import get\n"),
    ),
    Case(
        name="e2-path-changed-by-another-module",
        make=python(
            File("var/task/app.py", "import setup_path\nimport nothere\n" + HANDLER),
            File(
                "var/task/setup_path.py",
                "import sys, types\n"
                "for name in ['nothere']:\n    sys.modules[name] = types.ModuleType(name)\n",
            ),
        ),
        findings={"E2": W},
        is_started=True,
    ),
    bad_handler(
        "e2-relative-import-without-a-package",
        "E2",
        IMPORT_ERROR,
        "app.handler",
        *app("from . import store\n" + HANDLER, File("var/task/store.py", "")),
    ),
    *(
        bad_handler(f"e2-{name}", "E2", IMPORT_ERROR, "app.handler", *app(text + HANDLER))
        for name, text in {
            "nothing-in-place-of-it": (
                "try:\n    import nothere\nexcept ImportError:\n    import nor_this\n"
            ),
            "third-in-place-of-it": (
                "try:\n    import nothere\nexcept (OSError, ImportError):\n"
                "    try:\n        import nor_this\n    except ImportError:\n"
                "        from nor_that import loads\n"
            ),
            "imported-by-a-function": "import importlib\nimportlib.import_module('nothere')\n",
            "imported-by-a-builtin": "nothere = __import__('nothere')\n",
        }.items()
    ),
    bad_handler(
        "e2-imported-by-a-function-in-its-package",
        "E2",
        IMPORT_ERROR,
        "rooms.app.handler",
        File("var/task/rooms/__init__.py", ""),
        File(
            "var/task/rooms/app.py",
            "from importlib import import_module\nimport_module('.store', __package__)\n" + HANDLER,
        ),
    ),
    bad_handler(
        "e2-package-of-another-python",
        "E2",
        IMPORT_ERROR,
        "app.handler",
        *app(
            "import requests\n" + HANDLER,
            File("var/lang/lib/python3.2/site-packages/requests/__init__.py", ""),
        ),
    ),
    bad_start(
        "e2-code-beside-the-task-root",
        "E2",
        python(
            File("app/app.py", HANDLER),
            workdir="/app",
            env={"LAMBDA_TASK_ROOT": "/var/task", "LD_LIBRARY_PATH": "/var/lang/lib"},
        ),
        error_type=IMPORT_ERROR,
    ),
    *(
        Case(
            name=f"e2-node-{name}",
            make=node(*members),
            findings={"E2": E},
            error_type=type_,
        )
        for name, type_, members in (
            ("no-module", IMPORT_ERROR, ()),
            ("typescript", IMPORT_ERROR, (File("var/task/index.ts", NODE_HANDLER),)),
            (
                "no-package",
                IMPORT_ERROR,
                (File("var/task/index.js", "require('axios');\n" + NODE_HANDLER),),
            ),
            ("import-of-no-package", "Error", (File("var/task/index.mjs", "import 'axios';\n"),)),
        )
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_e2(case: Case, finds: Finds) -> None:
    finds(case)
