"""Two packages that hold the same file: the one that needs the other keeps its own."""

import hashlib
import os
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest

from tests.support.cdk_context import ROOT
from tests.support.wheels import wheel
from tools.overwritten_packages import overwritten

_UV = Path(sys.executable).with_name("uv")
_INSTALL = (
    "import sys; from pathlib import Path; from tools.python_packages import install;"
    " sys.exit(install(Path(sys.argv[1]), sys.argv[2:]))"
)


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


@pytest.mark.proof
def test_uv_installs_again_what_was_overwritten(tmp_path: Path) -> None:
    environment, packages = tmp_path / "environment", tmp_path / "packages"
    packages.mkdir()
    content = {
        "whole": wheel("whole", {"shared.py": "owner = 'whole'\n"}, needs="part"),
        "part": wheel("part", {"shared.py": "owner = 'part'\n"}),
    }
    locked = tmp_path / "requirements.txt"
    locked.write_text(
        "".join(
            f"{name}==1 --hash=sha256:{hashlib.sha256(file).hexdigest()}\n"
            for name, file in content.items()
        )
    )
    for name, file in content.items():
        (packages / f"{name}-1-py3-none-any.whl").write_bytes(file)
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    python = environment / "bin" / "python"
    settings = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "UV_CACHE_DIR": str(tmp_path / "cache"),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(packages),
        "PIP_CONFIG_FILE": os.devnull,
    }
    by_hand: list[str | Path] = [
        _UV,
        "pip",
        "install",
        "-q",
        "--python",
        python,
        "--no-index",
        "--no-deps",
    ]
    for name in content:
        subprocess.run([*by_hand, "--find-links", packages, name], check=True, env=settings)
    shared = [str(python), "-c", "import shared; print(shared.owner)"]
    assert subprocess.check_output(shared, text=True) == "part\n"

    subprocess.run([python, "-c", _INSTALL, _UV, locked], cwd=ROOT, env=settings, check=True)

    assert subprocess.check_output(shared, text=True) == "whole\n"
