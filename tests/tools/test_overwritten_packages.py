"""Two packages that hold the same file: the one that needs the other keeps its own."""

import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest

from tests.support.wheels import wheel
from tools.overwritten_packages import overwritten


def _unpacked(folder: Path, name: str, files: dict[str, str], needs: str = "") -> None:
    """Install a package as one does that writes what there is."""
    (folder / "package.whl").write_bytes(wheel(name, files, needs=needs))
    target = folder / "installed"
    subprocess.run(
        [sys.executable, "-m", "zipfile", "-e", folder / "package.whl", target], check=True
    )


def _overwritten(folder: Path) -> set[str]:
    return overwritten(distributions(path=[str(folder / "installed")]))


def test_nothing_of_this_environment_is_overwritten() -> None:
    """aws-cdk-lib and aws-cdk-cloud-assembly-schema both hold aws_cdk.cloud_assembly_schema."""
    assert overwritten(distributions()) == set()


@pytest.mark.parametrize(
    ("last", "found"), [("part", {"the-whole"}), ("the_whole", set[str]())], ids=["part", "whole"]
)
def test_what_is_needed_must_not_be_written_last(
    tmp_path: Path, last: str, found: set[str]
) -> None:
    needs = {"part": "", "the_whole": "Part[extra] (>=1)"}
    for name in sorted(needs, key=lambda name: name == last):
        _unpacked(tmp_path, name, {"shared.py": f"owner = '{name}'\n"}, needs[name])

    assert _overwritten(tmp_path) == found


def test_the_same_content_is_nobodys_loss(tmp_path: Path) -> None:
    _unpacked(tmp_path, "whole", {"shared.py": ""}, "part")
    _unpacked(tmp_path, "part", {"shared.py": ""})

    assert _overwritten(tmp_path) == set()


def test_a_file_that_was_removed_with_the_other_package_is_missed(tmp_path: Path) -> None:
    _unpacked(tmp_path, "whole", {"shared.py": "1"}, "part")
    _unpacked(tmp_path, "part", {"shared.py": "2"})
    (tmp_path / "installed" / "shared.py").unlink()

    assert _overwritten(tmp_path) == {"whole"}
