"""Reasons of the system, as they are said."""

import shutil
from pathlib import Path

import pytest

from config.os_error import reason_of


def test_a_reason_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file") as error:
        (tmp_path / "nothing").open()
    assert reason_of(error.value) == "No such file or directory"


def test_a_folder_that_was_not_copied_as_a_whole(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in "ab":
        (source / name).symlink_to("nowhere")
    with pytest.raises(shutil.Error) as error:
        shutil.copytree(source, tmp_path / "target")
    assert error.value.strerror is None
    assert reason_of(error.value).startswith("[Errno 2] No such file or directory: ")


@pytest.mark.parametrize(
    ("error", "reason"),
    [(OSError("it broke"), "it broke"), (OSError(), "OSError"), (shutil.Error("same"), "same")],
)
def test_an_error_without_a_reason_of_the_system(error: OSError, reason: str) -> None:
    assert reason_of(error) == reason
