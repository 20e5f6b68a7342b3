"""Sourcing the file sends a shell's commands to the emulated account alone; leaving undoes it."""

import os
import subprocess
from pathlib import Path

import pytest

from local.practice.activation import write_activation

VARIABLES = {
    "AWS_ACCESS_KEY_ID": "emulated",
    "AWS_ENDPOINT_URL": "http://localhost:1234",
    "AWS_CONFIG_FILE": "/dev/null",
    "BUILD_ARGS": "BASE=a@sha256:b PYTHON_VERSION=3.11",
    "QUOTED": "it's",
}
OWN = {
    "AWS_PROFILE": "production",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/",
    "AWS_ENDPOINT_URL_DYNAMODB": "http://elsewhere",
    "AWS_ACCESS_KEY_ID": "mine, it's",
    "NO_PROXY": "intranet.example",
    "QUOTED": "two\nlines of 'mine' $HOME",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "check out").mkdir()
    write_activation(
        tmp_path / "activate",
        VARIABLES,
        checkout=tmp_path / "check out",
        virtual_environment=tmp_path / "the venv",
    )
    return tmp_path


@pytest.fixture(params=["bash", "sh"])
def shell(request: pytest.FixtureRequest) -> str:
    """Each in its strictest mode; sh is dash on Debian."""
    return str(request.param)


def run(shell: str, folder: Path, *lines: str, own: dict[str, str] | None = None) -> str:
    """Run lines in a shell, and return what they print."""
    done = subprocess.run(
        [shell, "-eu"],
        input="\n".join(lines),
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **(OWN if own is None else own)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def environment(shell: str, folder: Path, *lines: str) -> dict[str, str]:
    """The environment of programs after these lines."""
    printed = run(shell, folder, *lines, "env -0")
    return dict(line.split("=", 1) for line in printed.split("\0") if line)


def test_programs_know_the_account_and_nothing_of_ones_own_aws(shell: str, folder: Path) -> None:
    told = environment(shell, folder, ". ./activate")
    assert {name: value for name, value in told.items() if name.startswith("AWS_")} == {
        name: value for name, value in VARIABLES.items() if name.startswith("AWS_")
    }
    assert told["QUOTED"] == "it's"
    assert told["BUILD_ARGS"] == VARIABLES["BUILD_ARGS"]
    assert told["PATH"].startswith(f"{folder}/the venv/bin:")
    assert told["VIRTUAL_ENV"] == f"{folder}/the venv"
    assert told["HOME"] == str(folder)
    assert told["NO_PROXY"] == "localhost,127.0.0.1,intranet.example"
    assert told["no_proxy"] == "localhost,127.0.0.1"


def test_it_changes_into_the_checkout_and_shows_in_the_prompt(shell: str, folder: Path) -> None:
    printed = run(shell, folder, "PS1='$ '", ". ./activate", 'echo "$PWD|$PS1"')
    assert printed == f"{folder}/check out|(cloud) $ \n"


def test_leaving_gives_back_all_that_was_there(shell: str, folder: Path) -> None:
    changes = ("export AWS_REGION=us-east-1", "unset AWS_ENDPOINT_URL", "cd /")
    before = environment(shell, folder)
    after = environment(shell, folder, ". ./activate", *changes, "leave_cloud")
    for unimportant in ("_", "OLDPWD"):
        before.pop(unimportant, None)
        after.pop(unimportant, None)
    assert after == before
    left = run(shell, folder, "PS1='$ '", ". ./activate", "leave_cloud", 'echo "$PWD|$PS1"', "set")
    assert left.startswith(f"{folder}|$ \n")
    assert "_cloud" not in left.replace("leave_cloud", "", 1)


def test_sourcing_it_again_is_as_sourcing_it_once(shell: str, folder: Path) -> None:
    """As after a second `make cloud`, whose account has another address."""
    again = (". ./activate", f'. "{folder}/activate"')
    once, twice = (environment(shell, folder, *lines) for lines in (again[:1], again))
    twice.pop("OLDPWD", None)
    once.pop("OLDPWD", None)
    assert twice == once
    prompt = run(shell, folder, "PS1='$ '", *again, 'echo "$PS1"')
    assert prompt == "(cloud) $ \n"


def test_without_aws_and_proxies_nothing_is_missed(shell: str, folder: Path) -> None:
    printed = run(
        shell, folder, ". ./activate", 'echo "$NO_PROXY"', "leave_cloud", "env | grep AWS || true",
        own={},
    )  # fmt: skip
    assert printed == "localhost,127.0.0.1\n"
