"""The bases of the Dockerfile: one for each CPU, each an ``ARG`` such as ``BASE_ARM64``."""

from collections.abc import Mapping
from pathlib import Path
from typing import get_args

from imagecheck.dockerfile import arguments_of
from imagecheck.function import Architecture

ARGUMENT = "BASE"
"""What FROM takes."""


def read_base_table(dockerfile: Path) -> dict[Architecture, str]:
    """Return the base for each CPU that has one, as FROM names it; empty without such ``ARG``.

    Raises ImageReadError when the file cannot be read.
    """
    arguments = arguments_of(dockerfile)
    architectures: tuple[Architecture, ...] = get_args(Architecture)
    named = {cpu: arguments.get(f"{ARGUMENT}_{cpu.upper()}") for cpu in architectures}
    return {cpu: base for cpu, base in named.items() if base}


def with_base(
    dockerfile: Path, build_arguments: Mapping[str, str], architecture: Architecture
) -> dict[str, str]:
    """Return the build arguments with the base for a CPU, unless they name one.

    Raises ImageReadError when the file cannot be read.
    """
    base = read_base_table(dockerfile).get(architecture)
    return {**({ARGUMENT: base} if base else {}), **build_arguments}
