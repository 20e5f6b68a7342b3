"""The environment of a test session: the same one whatever shell, job or machine starts it.

`tests/conftest.py` sets it in the controlling process and in each worker, before any test is
collected. A worker is started with it, too: what Python reads once, at its start, is known there.
"""

import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from config.cdk_cli import template_validation

ROOT: Final = Path(__file__).parents[2]

_KEPT: Final = frozenset(
    {
        # A Python that was not built for its folder needs it to find itself.
        "LD_LIBRARY_PATH",
        # Other versions of Python, which the proofs start runtime clients with.
        "PYENV_ROOT",
        # Where `make` has unpacked what CDK runs in Node.
        "JSII_RUNTIME_PACKAGE_CACHE_ROOT",
        # The certificates and the proxies that lead to package registries.
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "NODE_EXTRA_CA_CERTS",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
    }
)
_KEPT_PREFIXES: Final = ("PIP_", "UV_", "NPM_CONFIG_", "PYTEST_", "ROOMS_TESTS_")
"""Settings of what installs packages, of pytest, and what one test process tells another."""

_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


def make_environment_known(home: Path) -> None:
    """Give this process and its children the known environment; ``home`` is their home folder."""
    known = known_environment(dict(os.environ), home)
    os.environ.clear()
    os.environ.update(known)
    # Files that a test writes are made for the group and others to read, as on most machines.
    os.umask(0o022)
    _reset_signals()
    _open_standard_streams()


def known_environment(inherited: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return the variables of a session that was started with those that are inherited."""
    kept = {
        name: value
        for name, value in inherited.items()
        if name.upper() in _KEPT or name.upper().startswith(_KEPT_PREFIXES)
    }
    direct = _with_loopback(inherited.get("no_proxy") or inherited.get("NO_PROXY"))
    own = {
        # Debian has programs of root's in folders that a user's PATH lacks.
        "PATH": _with_folders(inherited.get("PATH", os.defpath), "/usr/sbin", "/sbin"),
        # No dot files: settings of git, credentials of AWS and of registries, caches of the CLI.
        "HOME": str(home),
        **_installers(inherited),
        # What CDK runs in Node would be unpacked into the home folder otherwise.
        "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(Path(sys.prefix) / "jsii"),
        # Sorting, encodings, and messages of the operating system.
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        # No colours, and lines as wide as in a pipe, for a command that a test starts.
        "TERM": "dumb",
        "COLUMNS": "80",
        "LINES": "24",
        # boto3 would ask for credentials at an address that only exists in EC2, and wait.
        "AWS_EC2_METADATA_DISABLED": "true",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        # A checkout may belong to somebody else than the process, as in a container of a CI job.
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": str(ROOT),
        # Once is enough, and the gate of a change: tests/test_app.py lets the CDK CLI synthesize a
        # stage without this.
        **template_validation(is_gate=False),
        # Servers of a test are on this machine, and no proxy leads there.
        **dict.fromkeys(("NO_PROXY", "no_proxy"), direct),
    }
    return own | kept


def _with_loopback(hosts: str | None) -> str:
    given = hosts.split(",") if hosts else []
    return ",".join([*given, *(host for host in _LOOPBACK if host not in given)])


def _with_folders(path: str, *folders: str) -> str:
    given = path.split(os.pathsep)
    return os.pathsep.join([*given, *(folder for folder in folders if folder not in given)])


def temporary_folder() -> Path:
    """Return the folder for temporary ones: the machine's, unless its path breaks programs.

    A ``#!`` line cannot name a path with a space, and a socket's path has room for 108 bytes.
    """
    given = Path(tempfile.gettempdir())
    usable = " " not in str(given) and str(given).isascii() and len(str(given)) < 40
    return given if usable else Path("/tmp")


def _installers(inherited: Mapping[str, str]) -> dict[str, str]:
    """Where pip, uv and npm have their settings and caches, which are below the real home."""
    if not (home := inherited.get("HOME")):
        return {}
    places = {
        "PYENV_ROOT": ".pyenv",
        "PIP_CONFIG_FILE": ".config/pip/pip.conf",
        "NPM_CONFIG_USERCONFIG": ".npmrc",
        "PIP_CACHE_DIR": ".cache/pip",
        "UV_CACHE_DIR": ".cache/uv",
        "NPM_CONFIG_CACHE": ".npm",
    }
    return {
        name: str(path)
        for name, path in ((name, Path(home, place)) for name, place in places.items())
        if os.access(path, os.W_OK if "CACHE" in name else os.R_OK)
    }


def _reset_signals() -> None:
    """Undo what a shell does for a command in the background, or `nohup`: it ignores signals."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def _open_standard_streams() -> None:
    """Open those that are closed: a file would get their number, and a child would write there."""
    while (opened := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(opened, True)
    os.close(opened)
