"""An image of the rooms on this machine's Python: what `build` makes, without a builder."""

import functools
import re
from collections.abc import Iterator
from importlib.metadata import files
from pathlib import Path
from typing import Any

from local.practice.base_files import SITE_PACKAGES
from tests.support.cdk_context import ROOT
from tests.support.imagecheck.images import File, Image, Layer, Member, layer_of, write_image
from tests.support.imagecheck.programs import HOST
from tests.support.imagecheck.python_runtime import python_base

_LEFT_OUT = re.compile(r".*(?:\.dist-info/|__pycache__/).*")


@functools.cache
def libraries() -> Layer:
    """Return the library that the rooms import, from where the tests import it."""
    return layer_of(
        *(
            File(f"{SITE_PACKAGES}/{file}", Path(str(file.locate())).read_bytes())
            for file in files("msgspec") or []
            if ".." not in file.parts and not _LEFT_OUT.fullmatch(str(file))
        )
    )


@functools.cache
def rooms() -> Layer:
    """Return the function itself, in /var/task."""
    return layer_of(*_sources())


def rooms_image(folder: Path, *above: Layer, **options: Any) -> Image:
    """Write an image that runs the rooms; ``above`` are layers that change something about it."""
    options = {
        "architecture": HOST,
        "entrypoint": ["/lambda-entrypoint.sh"],
        "cmd": ["rooms.main.handler"],
        "env": {"LAMBDA_TASK_ROOT": "/var/task"},
        **options,
    }
    return write_image(folder, [python_base(), libraries(), rooms(), *above], **options)


def _sources() -> Iterator[Member]:
    source = ROOT / "lambda_src"
    for path in sorted((source / "rooms").glob("*.py")):
        yield File(f"var/task/{path.relative_to(source)}", path.read_bytes())
