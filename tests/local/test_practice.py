"""`make cloud` says at once what it cannot work without."""

import platform
import sys
from pathlib import Path

import pytest

from imagecheck.errors import FailedError
from local.practice.practice import running_practice
from local.progress import SilentProgress


def start(folder: Path, host: str = "127.0.0.1") -> None:
    with running_practice(
        port=0, host=host, work_folder=folder, progress=SilentProgress(), say=print
    ):
        pass


def test_missing_programs_are_named_with_their_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FailedError) as refused:
        start(tmp_path)
    assert refused.value.message == "programs are missing: buildah, bwrap, docker-registry"
    assert refused.value.hint is not None
    assert refused.value.hint.endswith(" buildah bubblewrap docker-registry")


@pytest.mark.parametrize(("system", "machine"), [("darwin", "arm64"), ("linux", "riscv64")])
def test_another_system_or_cpu_is_told_what_works_there(
    system: str, machine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    with pytest.raises(FailedError, match=machine) as refused:
        start(tmp_path)
    assert refused.value.hint == "make run"


def test_an_address_of_another_machine_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(FailedError, match=r"203\.0\.113\.7 is not an IPv4 address of this machine"):
        start(tmp_path, host="203.0.113.7")
