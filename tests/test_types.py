"""Nothing uses a module that mypy is told to skip: it would have no types there."""

import re
import tomllib
from pathlib import Path

import aws_cdk
import pytest

from tests.support.cdk_context import ROOT

_FOLDERS = ("constructs", "stacks", "tests", "local", "release", "tools")
_CDK = Path(aws_cdk.__file__).parent
_IMPORTED = re.compile(r"\bfrom aws_cdk import (?:\([^)]*\)|[^\n]*)|\baws_cdk\.aws_\w+")
_CLASS = re.compile(r"^class \w+\(([^)]*)\)", re.MULTILINE)


def read_types() -> set[str]:
    """The services of CDK whose types are read."""
    overrides = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["overrides"]
    (modules,) = (one["module"] for one in overrides if one.get("follow_imports") == "normal")
    return {name.removeprefix("aws_cdk.") for name in modules if ".aws_" in name}


def test_the_types_of_what_is_imported_from_cdk_are_read() -> None:
    sources = [ROOT / "app.py", *(f for one in _FOLDERS for f in (ROOT / one).rglob("*.py"))]
    imports = (text for f in sources for text in _IMPORTED.findall(f.read_text(encoding="utf-8")))
    imported = {name for text in imports for name in re.findall(r"\baws_(?!cdk\b)\w+", text)}

    assert "aws_lambda" in imported
    assert {name for name in imported if (_CDK / name).is_dir()} <= read_types()


@pytest.mark.proof
def test_so_are_those_of_their_base_classes() -> None:
    bases = {
        name
        for module in read_types()
        for listed in _CLASS.findall((_CDK / module / "__init__.py").read_text(encoding="utf-8"))
        for name in re.findall(r"\b_(aws_\w+?)_[0-9a-f]{8}\.", listed)
    }

    assert "aws_ec2" in bases
    assert {name for name in bases if name != "aws_cdk"} <= read_types()
