"""The changes for moto in docs/upstream apply to the moto that is installed."""

import compileall
import re
import shutil
import subprocess
from pathlib import Path

import moto
import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "upstream" / "moto"
CHANGES = sorted(FOLDER.glob("*.patch"))
INSTALLED = Path(moto.__file__).parent


def _changed_files(change: Path) -> list[str]:
    return re.findall(r"^diff --git a/(\S+) b/", change.read_text(encoding="utf-8"), re.MULTILINE)


def _copy_of_moto(folder: Path) -> None:
    """Copy the files that any change is about; the tests of moto are not installed."""
    for name in {name for change in CHANGES for name in _changed_files(change)}:
        if name.startswith("moto/"):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(INSTALLED.parent / name, target)


def _apply(change: Path, folder: Path) -> None:
    applied = subprocess.run(
        ["git", "apply", "--include=moto/*", str(change)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert applied.returncode == 0, f"{change.name}:\n{applied.stderr}"


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.stem)
def test_each_change_applies_alone(change: Path, tmp_path: Path) -> None:
    _copy_of_moto(tmp_path)
    _apply(change, tmp_path)
    before = {name: (INSTALLED.parent / name).read_bytes() for name in _moto_files(change)}
    after = {name: (tmp_path / name).read_bytes() for name in _moto_files(change)}
    assert before.keys() == after.keys()
    assert all(before[name] != after[name] for name in before)


@pytest.mark.proof
def test_all_changes_apply_one_after_the_other_and_are_python(tmp_path: Path) -> None:
    _copy_of_moto(tmp_path)
    for change in CHANGES:
        _apply(change, tmp_path)
    assert compileall.compile_dir(tmp_path, quiet=1)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.stem)
def test_each_change_has_a_reason_and_tests_in_motos_layout(change: Path) -> None:
    heading = change.read_text(encoding="utf-8").partition("\n---\n")[0]
    for part in ("AWS", "https://", "moto 5.2.5:", "Change:", "Ours:"):
        assert part in heading
    files = _changed_files(change)
    assert any(re.fullmatch(r"tests/test_\w+/test_\w+\.py", name) for name in files)
    assert _moto_files(change)


def test_the_readme_lists_every_change() -> None:
    listed = re.findall(r"\((\d{4}-[\w-]+\.patch)\)", (FOLDER / "README.md").read_text("utf-8"))
    assert listed == [change.name for change in CHANGES]
    assert len(CHANGES) == 5


def _moto_files(change: Path) -> list[str]:
    return [name for name in _changed_files(change) if name.startswith("moto/")]
