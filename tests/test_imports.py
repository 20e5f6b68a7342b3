"""Imports point one way, and our ``constructs/`` lives with the PyPI library of that name."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cdk_context import ROOT

HOUSE = (
    "app", "stacks", "constructs", "lambda_src", "local", "release", "imagecheck", "docs", "tests",
)  # fmt: skip
ALLOWED = {
    "app": {"stacks", "constructs"},
    "stacks": {"stacks", "constructs", "lambda_src.rooms.routes"},
    "constructs": {"constructs", "lambda_src.dependencies", "lambda_src.rooms.routes"},
    "lambda_src": set[str](),
    "docs": {"lambda_src", "imagecheck"},
    # It is installed by itself, with nothing else of this repository.
    "imagecheck": {"imagecheck"},
    "local": {"local", "stacks.image_lock", "stacks.names", "stacks.settings"},
    "release": {
        "release",
        "imagecheck",
        "local.dynamodb_local",
        "local.image_sandbox",
        "local.lambda_variables",
        "local.runtime_api",
        "lambda_src.dependencies",
        "lambda_src.probe",
        "stacks.image_lock",
        "stacks.names",
        "stacks.settings",
    },
}


def imports(file: Path) -> set[str]:
    nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module)
    return {module for module in found if module.partition(".")[0] in HOUSE}


@pytest.mark.parametrize("part", ALLOWED)
def test_imports_point_one_way(part: str) -> None:
    files = [ROOT / "app.py"] if part == "app" else list((ROOT / part).rglob("*.py"))
    assert files
    for file in files:
        for module in imports(file):
            allowed = any(f"{module}.".startswith(f"{prefix}.") for prefix in ALLOWED[part])
            assert allowed, f"{file.relative_to(ROOT)} imports {module}"


def test_constructs_has_no_init_which_would_hide_the_library() -> None:
    assert not (ROOT / "constructs" / "__init__.py").exists()


@pytest.mark.parametrize("first", ["constructs.image_digest", "aws_cdk", "constructs"])
def test_library_and_folder_import_together_whichever_comes_first(first: str) -> None:
    program = (
        f"import {first}; from constructs import Construct;"
        " from constructs.image_digest import ImageDigest; print(Construct, ImageDigest)"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True)


def test_importing_the_route_table_costs_synth_no_aws_sdk() -> None:
    program = "import sys, lambda_src.rooms.routes; sys.exit('botocore' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)
