"""The Makefile: what each target installs, when, and that it needs no GNU tool on a Mac."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.cdk_context import ROOT

_FILES = (
    "Makefile", "requirements-uv.txt", "requirements-run.txt", "requirements-dev.txt",
    "package.json", "package-lock.json", ".npmrc",
    "tests/package.json", "tests/package-lock.json", "tests/.npmrc",
    "tools/python_packages.py", "tools/overwritten_packages.py",
)  # fmt: skip
_RUN = "tools.python_packages requirements-run.txt"
_DEV = "tools.python_packages requirements-dev.txt"
_NPM = "npm ci --silent"
_PAGE = "npm ci --silent --prefix tests"
_STAMPS = (".venv/.installed", ".venv/.test-tools", "node_modules/.package-lock.json")
_PAGE_STAMP = "tests/node_modules/.package-lock.json"
_ON_A_MAC = ("help", "setup", "run", "clean", *_STAMPS)
_GNU_ONLY = re.compile(
    r"\bsed -(?:i|E?n? '[^']*\\t)|\bgrep -[a-zA-Z]*P|\breadlink -f|\bstat -c|\bdate (?:-d|--)"
    r"|\bcp --|\bxargs -r|\bsort -V|\btouch --|\brm --|\bmktemp --|\bln --|\bexpand\b|\brealpath\b"
)


class Checkout:
    """The files that make looks at, all of one age; the older ones are a number of seconds old."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for name in _FILES:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
            self.touch(name, age=1000)

    def touch(self, name: str, age: int) -> None:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.utime(path, (1_700_000_000 - age, 1_700_000_000 - age))

    def installs(self, target: str) -> list[str]:
        """Return what a target would install, in order."""
        done = _make("--dry-run", target, folder=self._folder)
        known = (_RUN, _DEV, _PAGE, _NPM)
        found = [next((name for name in known if name in line), "") for line in done.splitlines()]
        return [name for name in found if name]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def _make(*arguments: str, folder: Path = ROOT, path: str = os.environ["PATH"]) -> str:
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    return subprocess.run(
        [str(shutil.which("make")), *arguments],
        cwd=folder,
        env={**environment, "PATH": path},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def _pins(name: str) -> dict[str, str]:
    """Return what a lock file pins: version, marker and hashes by name."""
    text = (ROOT / name).read_text(encoding="utf-8")
    found = re.findall(r"^([\w.-]+)((?:\[.*?\])?==(?:.*\\\n)+.*)$", text, re.MULTILINE)
    assert found
    return dict(found)


@pytest.mark.parametrize("target", ["setup", "run"])
def test_running_needs_no_test_tools(checkout: Checkout, target: str) -> None:
    assert checkout.installs(target) == [_RUN, _NPM]


def test_the_tests_bring_their_own(checkout: Checkout) -> None:
    assert checkout.installs("check") == [_RUN, _NPM, _DEV, _PAGE]

    for stamp in _STAMPS[::2]:
        checkout.touch(stamp, age=500)

    assert checkout.installs("check") == [_DEV, _PAGE]


def test_after_the_tests_running_needs_nothing_more(checkout: Checkout) -> None:
    for stamp in (*_STAMPS, _PAGE_STAMP):
        checkout.touch(stamp, age=500)

    assert checkout.installs("setup") == checkout.installs("check") == []


@pytest.mark.parametrize(
    ("changed", "installed"),
    [
        ("requirements-uv.txt", [_RUN, _DEV]),
        ("requirements-run.txt", [_RUN, _DEV]),
        ("requirements-dev.txt", [_DEV]),
        ("package-lock.json", [_NPM]),
        ("tests/package-lock.json", [_PAGE]),
    ],
)
def test_a_change_installs_only_what_it_changes(
    checkout: Checkout, changed: str, installed: list[str]
) -> None:
    for stamp in (*_STAMPS, _PAGE_STAMP):
        checkout.touch(stamp, age=500)
    checkout.touch(changed, age=100)

    assert checkout.installs("check") == installed


def test_what_an_older_checkout_installed_is_brought_up_to_date(checkout: Checkout) -> None:
    """It had one stamp for all packages, and no lock file of those that run."""
    for stamp in (_STAMPS[0], _STAMPS[2]):
        checkout.touch(stamp, age=2000)

    assert checkout.installs("setup") == [_RUN, _NPM]
    assert checkout.installs("check") == [_RUN, _NPM, _DEV, _PAGE]


@pytest.mark.parametrize("part", ["requirements-uv.txt", "requirements-run.txt"])
def test_the_test_tools_change_nothing_that_runs(part: str) -> None:
    """The same versions, of the same files, so neither order of installing undoes the other."""
    assert _pins(part).items() <= _pins("requirements-dev.txt").items()


def test_what_synthesizes_alone_is_what_runs() -> None:
    assert _pins("requirements.txt").items() <= _pins("requirements-run.txt").items()


def test_help_lists_every_target_that_says_what_it_does() -> None:
    lines = (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
    about = [re.match(r"([a-z-]+):.*?## (.*)", line) for line in lines]

    assert _make("help").splitlines() == sorted(f"{m[1]:12}{m[2]}" for m in about if m)


@pytest.mark.parametrize("target", [(), ("help",)], ids=["make", "make help"])
def test_help_is_the_same_where_no_tool_is_of_gnu(tmp_path: Path, target: tuple[str, ...]) -> None:
    for name in ("awk", "expand", "grep", "sed", "sort", "sh"):
        (tmp_path / name).symlink_to(str(shutil.which("busybox")))

    assert _make(*target, path=str(tmp_path)) == _make("help")


@pytest.mark.parametrize("target", _ON_A_MAC)
def test_a_recipe_that_runs_on_a_mac_names_no_option_of_gnu(target: str) -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipe = re.search(rf"^{re.escape(target)}:.*\n((?:\t.*\n)+|)", text, re.MULTILINE)

    assert recipe
    assert not _GNU_ONLY.search(recipe[1])


@pytest.mark.parametrize(
    "line",
    ["sed -E 's/:.*## /\\t/'", "sed -i s/a/b/ x", "readlink -f .", "grep -oP x", "expand -t 12"],
)
def test_such_an_option_would_be_found(line: str) -> None:
    assert _GNU_ONLY.search(f"\t@{line}\n")
