"""The first step of `make test`: Debian packages are installed, or named before anything runs."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.cdk_context import ROOT

_NEEDED = ("sh=dash", "umoci=umoci", "tini=tini")
_BROWSERS = ("chromium=chromium", "chromium-headless-shell=chromium-headless-shell")
_WITH_NAMESPACES = ("sh=dash", "namespaces")


class Machine:
    """A machine with a few programs, whose apt-get, sudo and sysctl write down their calls."""

    def __init__(self, folder: Path, user: int) -> None:
        self.programs = folder / "bin"
        self.programs.mkdir()
        self._calls = folder / "calls"
        self._restriction = folder / "restriction"
        self._release = folder / "os-release"
        self._release.write_text("ID=debian\n")
        for name in ("sh", "bash", "env", "cat", "grep"):
            (self.programs / name).symlink_to(str(shutil.which(name)))
        self.add("id", f"echo {user}")
        self.is_a("Linux")

    def add(self, name: str, script: str = "") -> None:
        program = self.programs / name
        # Never through a link: that would be this machine's own.
        program.unlink(missing_ok=True)
        program.write_text(f'#!/bin/sh\necho "{name} $*" >> {self._calls}\n{script}\n')
        program.chmod(0o755)

    def is_a(self, system: str) -> None:
        self.add("uname", f"echo {system}")

    def is_ubuntu(self) -> None:
        self._release.write_text("ID=ubuntu\n")

    def restrict_namespaces(self) -> None:
        self._restriction.write_text("1\n")

    def run(self, *needed: str) -> subprocess.CompletedProcess[str]:
        script = (ROOT / "tools/packages.sh").read_text()
        # Programs of this machine do not count.
        script = script.replace("$PATH:/usr/sbin:/sbin", "$PATH")
        return subprocess.run(
            [str(shutil.which("bash")), "-c", script, "packages.sh", *needed],
            env={
                "PATH": str(self.programs),
                "RESTRICTION": str(self._restriction),
                "OS_RELEASE": str(self._release),
            },
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def calls(self) -> list[str]:
        lines = self._calls.read_text().splitlines() if self._calls.exists() else []
        return [line for line in lines if not line.startswith(("id ", "uname "))]


def test_nothing_is_done_where_all_is_there(tmp_path: Path) -> None:
    machine = Machine(tmp_path, user=1000)

    done = machine.run("sh=dash", "namespaces")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert machine.calls == []


def test_on_another_system_it_says_what_to_do_instead(tmp_path: Path) -> None:
    """And installs nothing, whoever asks: macOS may have an `apt-get` of another kind."""
    machine = Machine(tmp_path, user=0)
    machine.is_a("Darwin")
    machine.add("apt-get")
    assert machine.run("sh=dash", "namespaces").returncode == 0

    done = machine.run(*_NEEDED)

    assert (done.returncode, done.stdout) == (1, "")
    error, hint = done.stderr.splitlines()
    assert error == "error: programs of Linux are missing: umoci tini"
    assert "need none of them where Docker runs" in hint
    assert machine.calls == []


def test_root_gets_what_is_missing(tmp_path: Path) -> None:
    machine = Machine(tmp_path, user=0)
    machine.add("apt-get")

    done = machine.run(*_NEEDED)

    assert done.returncode == 0, done.stderr
    assert machine.calls[0].startswith("apt-get update")
    assert machine.calls[1].startswith("apt-get install")
    assert machine.calls[1].endswith("--no-install-recommends umoci tini")
    assert len(machine.calls) == 2


def test_so_does_a_user_whose_sudo_asks_for_no_password(tmp_path: Path) -> None:
    machine = Machine(tmp_path, user=1000)
    machine.add("apt-get")
    machine.add("sudo", 'shift; "$@"')
    machine.add("true")

    done = machine.run(*_NEEDED)

    assert done.returncode == 0, done.stderr
    assert "apt-get install --quiet" in "\n".join(machine.calls)


@pytest.mark.parametrize("sudo", [True, False])
def test_others_are_told_in_one_line(tmp_path: Path, sudo: bool) -> None:
    machine = Machine(tmp_path, user=1000)
    machine.add("apt-get")
    if sudo:
        machine.add("sudo", "exit 1")

    done = machine.run(*_NEEDED)

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "error: Debian packages are missing: "
        "sudo apt-get install --no-install-recommends umoci tini\n"
    )
    assert not [call for call in machine.calls if call.startswith("apt-get")]


def test_a_machine_without_apt_is_told_the_programs(tmp_path: Path) -> None:
    done = Machine(tmp_path, user=0).run("bwrap=bubblewrap", "newuidmap=uidmap")

    assert done.returncode == 1
    assert done.stderr == "error: programs are missing: bwrap newuidmap\n"


@pytest.mark.parametrize("browser", ["chromium", "chromium-browser", "google-chrome"])
def test_each_browser_of_its_kind_will_do(tmp_path: Path, browser: str) -> None:
    machine = Machine(tmp_path, user=0)
    machine.add(browser)

    assert machine.run("chromium=chromium").returncode == 0


@pytest.mark.parametrize(("said", "there"), [("NotoSansCJK-Regular.ttc: Noto", True), ("", False)])
def test_the_fonts_are_those_of_japanese(tmp_path: Path, said: str, there: bool) -> None:
    machine = Machine(tmp_path, user=0)
    machine.add("fc-list", f"echo {said}" if said else "")

    assert (machine.run("fonts=fonts-noto-cjk").returncode == 0) is there


def test_namespaces_are_allowed_with_sudo(tmp_path: Path) -> None:
    machine = Machine(tmp_path, user=1000)
    machine.restrict_namespaces()
    machine.add("sudo", 'shift; "$@"')
    machine.add("true")
    machine.add("sysctl")

    assert machine.run(*_WITH_NAMESPACES).returncode == 0
    assert machine.calls[-1].endswith("kernel.apparmor_restrict_unprivileged_userns=0")


def test_without_sudo_the_command_for_it_is_named(tmp_path: Path) -> None:
    machine = Machine(tmp_path, user=1000)
    machine.restrict_namespaces()

    done = machine.run(*_WITH_NAMESPACES)

    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert done.stderr.endswith(": sudo make userns\n")


def test_root_may_make_them_anyway(tmp_path: Path) -> None:
    machine = Machine(tmp_path, user=0)
    machine.restrict_namespaces()

    assert machine.run(*_WITH_NAMESPACES).returncode == 0
    assert machine.calls == []


def test_debian_gets_the_browser_without_windows_too(tmp_path: Path) -> None:
    machine = Machine(tmp_path, user=0)
    machine.add("apt-get")

    assert machine.run(*_BROWSERS).returncode == 0
    assert machine.calls[-1].endswith("--no-install-recommends chromium chromium-headless-shell")


def test_ubuntu_has_the_whole_browser_under_another_name(tmp_path: Path) -> None:
    machine = Machine(tmp_path, user=0)
    machine.is_ubuntu()
    machine.add("apt-get")

    assert machine.run(*_BROWSERS).returncode == 0
    assert machine.calls[-1].endswith("--no-install-recommends chromium-browser")


def test_others_are_told_the_name_of_their_system(tmp_path: Path) -> None:
    machine = Machine(tmp_path, user=1000)
    machine.add("apt-get")

    assert machine.run("chromium=chromium").stderr.endswith(" chromium\n")
    machine.is_ubuntu()
    assert machine.run("chromium=chromium").stderr.endswith(" chromium-browser\n")


def test_make_test_looks_before_anything_else_is_done() -> None:
    """Nothing is installed with pip or npm before it, either."""
    environment = {name: value for name, value in os.environ.items() if name != "MAKEFLAGS"}
    done = subprocess.run(
        ["make", "--dry-run", "--always-make", "test"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[0].startswith("tools/packages.sh bwrap=bubblewrap ")
