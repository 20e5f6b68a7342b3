"""Every test file of the repository is run."""

import subprocess
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.support.cdk_context import ROOT


def test_no_folder_with_tests_is_left_out(pytestconfig: pytest.Config) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "tests/**/test_*.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    folders = {part for file in listed.stdout.split() for part in Path(file).parent.parts}
    assert {"build", "lambda_src"} <= folders
    left_out = pytestconfig.getini("norecursedirs")
    assert [name for name in folders if any(fnmatch(name, one) for one in left_out)] == []
