"""What other systems lack: no module may need it before it is used.

This machine is none of them. What can be seen here is that nothing is imported, and no name of the
standard library used, that is not there.
"""

import subprocess
import sys

import pytest

from tests.support.cdk_context import ROOT

POSIX_ONLY = ("fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty")
"""https://docs.python.org/3/library/unix.html, and ``posix``, which ``os`` wraps."""
LINUX_INSIDE = ("lambda_runtime.image_sandbox.launch", "release.__main__", "local.__main__")
"""What is only run: the first by bubblewrap, inside an image; the others are command lines."""

# The libraries are there first, as they know their systems; then what Windows lacks is taken away.
IMPORT_ALL = """
import importlib, os, pkgutil, signal, sys
folder, lacking, left_out = sys.argv[1], sys.argv[2].split(), sys.argv[3].split()
names = [folder, *(m.name for m in pkgutil.walk_packages([folder], f"{folder}."))]
names = [name for name in names if name not in left_out]
for name in names:
    importlib.import_module(name)
for name in list(sys.modules):
    if name.partition(".")[0] in {"imagecheck", "release", "local", "config", "contract",
                                  "lambda_runtime"}:
        del sys.modules[name]
for name in lacking:
    sys.modules[name] = None
for name in ("fork", "geteuid", "getuid", "killpg", "openpty", "setsid", "O_DIRECTORY",
             "O_NOFOLLOW"):
    delattr(os, name)
for name in ("SIGHUP", "SIGKILL", "SIGQUIT", "pthread_sigmask"):
    delattr(signal, name)
sys.platform = "win32"
for name in names:
    importlib.import_module(name)
print(len(names))
"""


@pytest.mark.parametrize(
    "folder",
    [
        *("imagecheck", "config", "contract", "lambda_runtime"),
        *(pytest.param(slow, marks=pytest.mark.proof) for slow in ("release", "local")),
    ],
)
def test_no_module_needs_at_import_what_windows_lacks(folder: str) -> None:
    """`imagecheck` runs there; of the others no command fails with a stack trace of an import."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, folder, " ".join(POSIX_ONLY), " ".join(LINUX_INSIDE)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 3


@pytest.mark.proof
def test_the_types_are_right_on_macos() -> None:
    """What a module of the standard library lacks there, its types lack."""
    folders = ["imagecheck", "config", "contract", "release", "local"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir=/dev/null", "--platform=darwin", *folders],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
