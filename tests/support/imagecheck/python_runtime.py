"""A layer in which a real CPython and AWS's runtime client start under the Runtime API.

Both are those that run the tests, so what they report of a handler, Lambda reports.
"""

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path

from local.practice import base_files
from local.practice.base_files import BOOTSTRAP, BOOTSTRAP_PY
from tests.support.imagecheck.images import File, Layer, Member, layer_of
from tests.support.imagecheck.programs import aws_like_base


@functools.cache
def python_base() -> Layer:
    """Return a layer like that of AWS's base image for Python; it has no handler yet."""
    bootstrap = File("var/runtime/bootstrap.py", BOOTSTRAP_PY)
    return layer_of(*aws_like_base(BOOTSTRAP), bootstrap, *python_runtime())


def python_runtime() -> Iterator[Member]:
    """Yield the interpreter under /var/lang, as AWS has it, and the libraries where they are here.

    The interpreter finds its own library by where it lies, so it can lie anywhere.
    """
    yield from map(_member, base_files.python_runtime())


def interpreter_files(
    program: Path, library: Path, packages: Mapping[str, Path], site_packages: str
) -> Iterator[Member]:
    """Yield an interpreter under /var/lang, with packages by their names in ``site_packages``."""
    files = base_files.interpreter_files(program, library, packages, site_packages)
    yield from map(_member, files)


def _member(file: base_files.BaseFile) -> Member:
    return File(file.path, file.content, file.mode)
