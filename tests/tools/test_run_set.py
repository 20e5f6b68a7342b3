"""What `make setup` installs is enough for all but the tests: nothing of theirs is imported."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cdk_context import ROOT
from tests.support.without_test_tools import REFUSED, refusing

_PARTS = (
    "app.py", "config", "constructs", "contract", "demo", "imagecheck", "lambda_runtime",
    "lambda_src", "local", "release", "stacks",
)  # fmt: skip
_TESTS_ARE_NEEDED = ("DEVELOPMENT", "TEST_TOOLS", "check")


def _files() -> list[Path]:
    return [
        file
        for part in _PARTS
        for file in ([ROOT / part] if part.endswith(".py") else sorted((ROOT / part).rglob("*.py")))
    ]


def _imported(node: ast.AST) -> Iterator[str]:
    """Yield what a program imports, at its top or later, but for the types that mypy reads."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and child.level == 0 and child.module:
            yield child.module
        elif not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield from _imported(child)


def _modules_of_make() -> list[str]:
    """Return what targets run as ``python -m MODULE`` that ask for no test tools."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    found = []
    for needs, recipe in re.findall(r"^[a-z-]+:(.*)\n((?:\t.*\n)+)", text, re.MULTILINE):
        if not any(name in needs.partition("##")[0] for name in _TESTS_ARE_NEEDED):
            found += re.findall(r"python -m ([\w.]+)", recipe)
    return sorted(set(found))


def test_the_tests_have_tools_of_their_own() -> None:
    assert {"pytest", "mypy", "hypothesis", "cfnlint", "playwright"} <= REFUSED
    assert not {"aws_cdk", "moto", "boto3", "msgspec", "typer", "yaml"} & REFUSED


def test_nothing_imports_a_test_tool() -> None:
    wrong = [
        f"{file.relative_to(ROOT)}: {module}"
        for file in _files()
        for module in _imported(ast.parse(file.read_text(encoding="utf-8")))
        if module.partition(".")[0] in REFUSED
    ]

    assert wrong == []


@pytest.mark.proof
@pytest.mark.parametrize("module", _modules_of_make())
def test_what_make_runs_can_be_imported_without_them(module: str, tmp_path: Path) -> None:
    """With all that it imports of others, which are looked for when they are needed."""
    main = f"{module}.__main__" if (ROOT / module.replace(".", "/")).is_dir() else module
    done = subprocess.run(
        [sys.executable, "-c", f"import {main}"],
        cwd=ROOT,
        env=refusing(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_a_test_tool_would_be_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import networkx"],
        env=refusing(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "`make setup` does not install networkx" in done.stderr
