"""Imports point one way, and our ``constructs/`` lives with the PyPI library of that name."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from release.cli import COMMANDS
from tests.support.cdk_context import ROOT

HOUSE = (
    "app", "benchmarks", "chaos", "config", "constructs", "contract", "demo", "imagecheck",
    "lambda_runtime", "lambda_src", "local", "release", "stacks", "tests", "tools",
)  # fmt: skip
ALLOWED = {
    "app": {"config", "constructs", "imagecheck.errors", "stacks"},
    "stacks": {"config", "constructs", "lambda_src.rooms.routes", "stacks"},
    "constructs": {
        "config.function_libraries",
        "constructs",
        "imagecheck.errors",
        "imagecheck.image.digest",
        "lambda_src.rooms.headers",
        "lambda_src.rooms.routes",
    },
    # What gets copied into the image.
    "lambda_src/rooms": set[str](),
    # The contract test is in the hook's zip.
    "lambda_src/pre_traffic_hook": {"contract"},
    "contract": {"contract"},
    # It is installed by itself, with nothing else of this repository.
    "imagecheck": {"imagecheck"},
    "config": {"config", "imagecheck"},
    "lambda_runtime": {"imagecheck.errors", "lambda_runtime"},
    "local": {"config", "contract", "imagecheck", "lambda_runtime", "local"},
    "release": {"config", "contract", "imagecheck", "lambda_runtime", "release"},
    # What it tries runs in processes of its own.
    "chaos": {"chaos", "config", "contract", "imagecheck", "lambda_runtime"},
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


def test_no_command_imports_a_command() -> None:
    for file in (ROOT / "release" / "commands").glob("*.py"):
        commands = {f"release.commands.{name}" for name in COMMANDS}
        assert not imports(file) & commands, file.name


def test_constructs_has_no_init_which_would_hide_the_library() -> None:
    assert not (ROOT / "constructs" / "__init__.py").exists()


@pytest.mark.proof
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
