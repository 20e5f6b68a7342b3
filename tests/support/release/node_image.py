"""An image with a real Node, AWS's runtime client and packages of npm, as ``FROM node`` makes one.

Its ENTRYPOINT is a bare name, which the image's PATH leads to, as that of the client's README.
"""

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tests.support.imagecheck.images import File, Image, Layer, Symlink, layer_of, write_image
from tests.support.imagecheck.node_runtime import (
    NATIVE_PART,
    installed,
    libraries_of,
    node_folder,
)
from tests.support.imagecheck.programs import HOST, aws_like_base

ENV: Final = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    # In the place of the client's native part: see node_runtime.
    "NODE_OPTIONS": "--require /native-part.cjs",
}
_NODE = "22"
_GLOBAL = "usr/local/lib/node_modules"
_ENDINGS = {".cjs", ".js", ".json", ".mjs"}
# What a package has beside its code for require().
_LEFT_OUT = {"dist-es", "dist-types", "node_modules"}


def node_image(folder: Path, handler: str, *packages: str, client: int, **options: Any) -> Image:
    """Write an image whose ``index.js`` is ``handler``, with packages of npm and what they need.

    ``client`` is the generation of the runtime client: 3 or 4.
    """
    options = {
        "entrypoint": ["aws-lambda-ric"],
        "cmd": ["index.handler"],
        "env": ENV,
        **options,
    }
    index = layer_of(File("var/task/index.js", handler))
    layers = [_node(), _client(client), _packages(packages), index]
    return write_image(folder, layers, architecture=HOST, **options)


@functools.cache
def _node() -> Layer:
    program = node_folder(_NODE) / "bin/node"
    return layer_of(
        *aws_like_base()[:-1],
        Symlink("usr/bin/env", "/bin/busybox"),
        File("usr/local/bin/node", program.read_bytes(), 0o755),
        *(File(str(path)[1:], path.read_bytes(), 0o755) for path in libraries_of(program)),
    )


@functools.cache
def _client(generation: int) -> Layer:
    package = installed(f"aws-lambda-ric-{generation}")
    place = f"{_GLOBAL}/aws-lambda-ric"
    starter, native = ("bin/index.mjs", "dist/") if generation == 3 else ("index.mjs", "")
    return layer_of(
        *(
            File(f"{place}/{path.relative_to(package)}", path.read_bytes(), 0o755)
            for path in _code_of(package)
        ),
        File(f"{place}/{native}rapid-client.node"),
        File("native-part.cjs", NATIVE_PART),
        Symlink("usr/local/bin/aws-lambda-ric", f"/{place}/{starter}"),
    )


@functools.cache
def _packages(names: tuple[str, ...]) -> Layer:
    root = installed(names[0]).parents[names[0].count("/")].parent
    needed: dict[Path, None] = {}
    waiting = [installed(name) for name in names]
    while waiting:
        package = waiting.pop()
        if package not in needed:
            needed[package] = None
            document = json.loads((package / "package.json").read_bytes())
            waiting += [_found(name, package) for name in document.get("dependencies", {})]
    return layer_of(
        *(
            File(f"var/task/{path.relative_to(root)}", path.read_bytes())
            for package in needed
            for path in _code_of(package)
        )
    )


def _found(name: str, package: Path) -> Path:
    """Find a package as Node does for another one."""
    return next(
        folder / "node_modules" / name
        for folder in (package, *package.parents)
        if (folder / "node_modules" / name).exists()
    )


def _code_of(package: Path) -> Iterator[Path]:
    for path in sorted(package.rglob("*")):
        inside = path.relative_to(package).parts
        if path.suffix in _ENDINGS and path.is_file() and not _LEFT_OUT & set(inside):
            yield path
