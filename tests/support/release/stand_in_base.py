"""The base image of `make cloud`, which cannot be pulled from AWS where tests run, with variations.

Its Python is the one that runs the tests, and so is its CPU, unless another one is asked for.
"""

import functools
import tempfile
from collections.abc import Sequence
from pathlib import Path

from local.practice.base_files import PYTHON, BaseFile, base_files
from local.practice.base_image import ENVIRONMENT, FOLDERS, REPOSITORY
from tests.support.imagecheck.images import Directory, File, Layer, Member, layer_of, write_image
from tests.support.imagecheck.programs import ARCHITECTURES, HOST_MACHINE, of_other_cpu
from tests.support.imagecheck.tools import skopeo_copy

PYTHON_VERSION = PYTHON.removeprefix("python")
"""To be given as a build argument: the project's own is that of AWS's base."""


def push_base(
    host: str,
    *,
    machine: int = HOST_MACHINE,
    config_architecture: str | None = None,
    more: Sequence[Member] = (),
) -> str:
    """Push the base to a registry (HOST:PORT) and return its name by digest, as for FROM.

    ``more`` is in another layer on top of it. ``machine`` is the ``e_machine`` of its programs. Its
    configuration names their CPU, or, to lie, ``config_architecture`` (``amd64``, ``arm64``).
    """
    architecture = config_architecture or ARCHITECTURES[machine]
    with tempfile.TemporaryDirectory(prefix="base-") as folder:
        image = write_image(
            Path(folder),
            [_layer(machine), *([layer_of(*more)] if more else [])],
            architecture=architecture,
            entrypoint=["/lambda-entrypoint.sh"],
            env=ENVIRONMENT,
        )
        name = f"{host}/{REPOSITORY}"
        skopeo_copy(image.reference, f"docker://{name}:{machine}-{architecture}")
    return f"{name}@{image.digest}"


@functools.cache
def _layer(machine: int) -> Layer:
    folders = [Directory(name, mode) for name, mode in FOLDERS]
    return layer_of(*folders, *(_member(file, machine) for file in base_files()))


def _member(file: BaseFile, machine: int) -> File:
    is_program = file.content[:4] == b"\x7fELF"
    foreign = is_program and machine != HOST_MACHINE
    return File(file.path, of_other_cpu(file.content) if foreign else file.content, file.mode)
