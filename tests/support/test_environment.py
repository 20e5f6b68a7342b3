"""Tests are the same whatever started them: a sample of those that would mind, in a bad place."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cdk_context import ROOT
from tests.support.environment import known_environment, temporary_folder

_SAMPLE = (
    # A script ignores interruptions for what it starts in the background.
    "tests/release/deploy/test_cdk_deploy.py::test_interrupted_it_ends_with_its_children[False]",
    "tests/release/deploy/test_cdk_deploy.py::test_it_asks_on_the_terminal",
    # Commits, and files that others may read.
    "tests/release/build/test_context.py",
    # Colours and width of what a command prints.
    "tests/release/test_cli.py::test_help",
)
_ELSEWHERE = {
    "AWS_PROFILE": "nobody",
    "AWS_ENDPOINT_URL": "http://192.0.2.1",
    "AWS_REGION": "eu-west-9",
    "CI": "true",
    "COLUMNS": "20",
    "DOCKER_CONFIG": "/nowhere",
    "FORCE_COLOR": "1",
    "GITHUB_ACTIONS": "true",
    "GIT_DIR": "/nowhere",
    "GIT_AUTHOR_NAME": "",
    "LANG": "ja_JP.EUC-JP",
    "LC_ALL": "tr_TR.ISO-8859-9",
    "NODE_OPTIONS": "--no-such-option",
    "PYTHONPATH": "/nowhere",
    "PYTHONUTF8": "0",
    "TERM": "xterm-256color",
    "TZ": "Pacific/Chatham",
    "XDG_CACHE_HOME": "/nowhere",
    "http_proxy": "http://192.0.2.1:3128",
}


@pytest.mark.proof
def test_a_sample_passes_in_the_background_of_a_script_on_an_odd_machine(tmp_path: Path) -> None:
    home = tmp_path / "a home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        "[core]\n\tautocrlf = true\n[commit]\n\tgpgsign = true\n[init]\n\tdefaultBranch = trunk\n"
    )
    home.chmod(0o500)

    done = subprocess.run(
        # As `command &` in a script: no standard input, and no interruption or hang-up is heard.
        [
            "/bin/sh",
            "-c",
            'trap "" INT HUP QUIT; umask 077; exec "$@" <&-',
            "sh",
            sys.executable,
            *("-m", "pytest", "-q", "-n", "1", "-p", "no:cacheprovider", *_SAMPLE),
        ],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(home), **_ELSEWHERE},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_what_leads_to_package_registries_is_kept_and_all_else_is_known(tmp_path: Path) -> None:
    real = tmp_path / "real"
    (real / ".cache/pip").mkdir(parents=True)
    registries = {
        "PIP_INDEX_URL": "https://mirror.example/python",
        "npm_config_registry": "https://mirror.example/node",
        "https_proxy": "http://proxy.example",
        "SSL_CERT_FILE": "/etc/certificates",
    }

    known = known_environment(
        {
            "PATH": "/bin",
            "HOME": str(real),
            "NO_PROXY": "inside.example",
            **registries,
            **_ELSEWHERE,
        },
        tmp_path / "home",
    )

    assert registries.items() <= known.items()
    assert known["HOME"] == str(tmp_path / "home")
    assert known["PIP_CACHE_DIR"] == str(real / ".cache/pip")
    assert "NPM_CONFIG_USERCONFIG" not in known
    assert known["PATH"] == "/bin:/usr/sbin:/sbin"
    assert known["NO_PROXY"] == "inside.example,localhost,127.0.0.1,::1"
    assert known["LANG"] == "C.UTF-8"
    assert not {"AWS_PROFILE", "CI", "FORCE_COLOR", "GIT_DIR", "LC_ALL", "PYTHONPATH"} & set(known)


def test_it_is_the_same_when_it_is_made_known_again(tmp_path: Path) -> None:
    """As in a worker, which inherits it."""
    known = known_environment({"PATH": "/bin", "HOME": str(tmp_path)}, tmp_path / "home")

    assert known_environment(known, tmp_path / "home") == known


@pytest.mark.parametrize("folder", ["a b", "ü", "x" * 60])
def test_temporary_folders_whose_path_breaks_programs_are_not_used(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", f"/tmp/{folder}")
    assert temporary_folder() == Path("/tmp")

    monkeypatch.setattr("tempfile.tempdir", "/tmp/ordinary")
    assert temporary_folder() == Path("/tmp/ordinary")


def test_this_process_has_it() -> None:
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert Path(os.environ["HOME"]).is_relative_to(os.environ["TMPDIR"])
    before = os.umask(0o022)
    assert before == 0o022
