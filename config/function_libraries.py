"""Installs the function's libraries, for the image and for the layer of the zip.

The Python version is defined here, the libraries in ``lambda_src/requirements.txt``.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

from imagecheck.errors import FailedError

PYTHON_VERSION: Final = "3.13"
"""The version of the function's runtime."""

REQUIREMENTS: Final = Path(__file__).parents[1] / "lambda_src" / "requirements.txt"
"""The libraries, each with the hashes of its files."""

_MACHINES: Final = {"arm64": "aarch64", "x86_64": "x86_64"}
# Amazon Linux 2023 has glibc 2.34: https://docs.aws.amazon.com/linux/al2023/ug/compare-with-al2.html
_GLIBC: Final = ("manylinux_2_34", "manylinux_2_28", "manylinux2014")


class DependenciesError(FailedError):
    """The libraries cannot be installed; the message is pip's."""


def install_dependencies(
    folder: Path,
    *,
    architecture: str,
    python_version: str = PYTHON_VERSION,
    requirements: Path = REQUIREMENTS,
) -> None:
    """Install the libraries into a folder, from wheels for the function's CPU, on any machine.

    ``architecture`` is Lambda's name of it (``arm64``, ``x86_64``). Nothing is compiled, and no
    code of a package runs. Raises DependenciesError.
    """
    platforms = [f"--platform={glibc}_{_MACHINES[architecture]}" for glibc in _GLIBC]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-color"]  # the CDK CLI asks for colours, and the message is read below
    command += ["--no-compile", "--no-deps", "--only-binary=:all:", "--require-hashes"]
    command += ["--implementation=cp", f"--python-version={python_version}", *platforms]
    command += [f"--requirement={requirements}", f"--target={folder}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise DependenciesError("\n".join(lines) or done.stderr.strip())
