"""What is measured, installed and compiled as an image has it, in ``build/bench/cold_start``."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.document import ROOT
from imagecheck.errors import FailedError

_HERE: Final = Path(__file__).parent
_BASE: Final = _HERE / "base.txt"
_FRAMEWORKS: Final = _HERE / "frameworks.txt"
_NODE_PEER: Final = _HERE / "node_peer"
_FUNCTION: Final = ROOT / "lambda_src"
_PYTHON: Final = "python3.13"
"""That of the function's image."""
_CPU: Final = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), "")


class Installation(NamedTuple):
    """Where everything is."""

    python: Path
    """With what AWS's base image brings."""
    framework_python: Path
    """The same with the frameworks, which some peers have and others would pay for."""
    peers: Path
    """The task root of the peers in Python."""
    rooms: Path
    """The task root of ours, as the image has it."""
    node: Path
    node_client: Path
    node_bundle: Path
    """The task root of the peer in JavaScript."""
    node_native_part: Path


def install(folder: Path) -> Installation:
    """Install what is not there yet, and copy and compile the functions.

    Raises:
        FailedError: an installer failed; its output has been printed.

    """
    folder.mkdir(parents=True, exist_ok=True)
    python = _install_python(folder / "python", _BASE)
    framework_python = _install_python(folder / "frameworks", _FRAMEWORKS)
    peers, rooms = folder / "task", folder / "image"
    node = _install_node(folder / "node")
    for task in (peers, rooms):
        shutil.rmtree(task, ignore_errors=True)
    _copy(_HERE / "peers", peers / "peers")
    _install_image(python, rooms)
    _compile(python, peers, rooms)
    return Installation(
        python=python,
        framework_python=framework_python,
        peers=peers,
        rooms=rooms,
        node=node / f"node_modules/node-22-{_CPU}/bin/node",
        node_client=node / "node_modules/aws-lambda-ric/index.mjs",
        node_bundle=node / "bundle",
        node_native_part=node / "native-part.cjs",
    )


def interpreter() -> str:
    """Return the path of the function's Python where this machine has it, else of this one."""
    # pyenv has a command of each version, and most of them only say so.
    asked = {**os.environ, "PYENV_VERSION": _PYTHON.removeprefix("python")}
    if shutil.which(_PYTHON):
        said = subprocess.run(
            [_PYTHON, "-c", "import sys; print(sys.executable)"],
            env=asked,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=False,
        )
        if said.returncode == 0:
            return said.stdout.strip()
    return sys.executable


def _install_python(folder: Path, requirements: Path) -> Path:
    base = interpreter()
    python = folder / "bin/python"
    with _Once(folder, base, requirements.read_text()) as is_to_do:
        if is_to_do:
            _run(base, "-m", "venv", str(folder))
            _run(str(python), "-m", "tools.python_packages", str(requirements))
            _compile(python, folder / "lib")
    return python


def _install_node(folder: Path) -> Path:
    files = [path for path in sorted(_NODE_PEER.iterdir()) if path.is_file()]
    with _Once(folder, *(path.read_text() for path in files)) as is_to_do:
        if is_to_do:
            folder.mkdir()
            for path in files:
                shutil.copy(path, folder)
            _run("npm", "ci", "--silent", "--prefix", str(folder))
            # Of ES modules, esbuild leaves out what is not used.
            _run(
                "node",
                str(folder / "node_modules/esbuild/bin/esbuild"),
                str(folder / "index.mjs"),
                "--bundle",
                "--minify",
                "--platform=node",
                "--target=node22",
                "--main-fields=module,main",
                f"--outfile={folder / 'bundle/index.js'}",
                "--log-level=warning",
            )
            # The client looks for it and loads it, and gets native-part.cjs.
            (folder / "node_modules/aws-lambda-ric/rapid-client.node").touch()
    return folder


def _install_image(python: Path, task: Path) -> None:
    """Lay out what lambda_src/Dockerfile adds to its base."""
    task.mkdir()
    requirements = ["--require-hashes", "--requirement", str(_FUNCTION / "requirements.txt")]
    pip = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
    _run(*pip, "--disable-pip-version-check", "--target", str(task), *requirements)
    _copy(_FUNCTION / "rooms", task / "rooms")


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))


def _compile(python: Path, *folders: Path) -> None:
    # As the function's image is: bytecode is never compared with its source.
    options = ["-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash"]
    # Some packages bring templates that are no Python.
    subprocess.run(
        [str(python), *options, *map(str, folders)], check=False, stdout=subprocess.DEVNULL
    )


class _Once:
    """A folder that is made again when what it is made of has changed. A failure leaves none."""

    def __init__(self, folder: Path, *made_of: str) -> None:
        self._folder = folder
        self._stamp = folder / ".made-of"
        self._digest = hashlib.sha256("\0".join(made_of).encode()).hexdigest()

    def __enter__(self) -> bool:
        if self._stamp.exists() and self._stamp.read_text() == self._digest:
            return False
        shutil.rmtree(self._folder, ignore_errors=True)
        return True

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._stamp.write_text(self._digest)


def _run(*command: str) -> None:
    if status := subprocess.call(command, cwd=ROOT):
        raise FailedError(f"{' '.join(command[:4])} ... ended with status {status}")
