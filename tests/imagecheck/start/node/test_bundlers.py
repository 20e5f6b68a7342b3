"""Bundled handlers that start have no error, others have one: real bundlers, a real Node.

bundlers/ has a handler with three packages, and bundles it as people do. Each output is started as
it is, and with what goes wrong in a release: the image names another function, package.json says
the other kind of module, or a package was left out of the bundle and is not installed. Nothing here
says which of these fail: Node says it.
"""

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest

from imagecheck.check import check_image
from imagecheck.image.layer_cache import LayerCache
from imagecheck.image.reference import parse_reference
from tests.support.imagecheck.cases import ON_HOST, Silent
from tests.support.imagecheck.images import File, Image, Member, Symlink, layer_of, write_image
from tests.support.imagecheck.node_runtime import command_of, node_folder, write_runtime
from tests.support.imagecheck.programs import HOST, tiny_elf
from tests.support.imagecheck.starting import start_folder
from tests.support.imagecheck.tools import MissingToolError, run

pytestmark = pytest.mark.proof

BUNDLERS: Final = Path(__file__).with_name("bundlers")
PACKAGES: Final = ("uuid", "ws", "zod")
COMPILERS: Final = ("swc", "tsc")
"""These leave every package where it is."""
TYPES: Final = ("commonjs", "module")
ENV: Final = {"PATH": "/usr/local/bin", "LAMBDA_TASK_ROOT": "/task"}
CLIENT: Final = 4
THREADS: Final = 2
MISSED: Final = {
    # A require of a built-in module that throws.
    "esbuild": {"bare/module-without_require-as-module/index.handler"},
}
"""What does not start and has no error: a row that is named is to go from here."""


@dataclass(frozen=True)
class Output:
    """A folder below /task: ``installed`` has the packages beside it, ``bare`` has not."""

    place: str
    source: Path
    kind: str

    @property
    def path(self) -> str:
        return f"{self.place}/{self.source.name}-as-{self.kind}"


@pytest.mark.parametrize("bundler", ["esbuild", "ncc", "rollup", "swc", "tsc", "webpack"])
def test_check_names_the_bundles_that_do_not_start(bundler: str, tmp_path: Path) -> None:
    rootfs = write_runtime(tmp_path / "rootfs", "22", CLIENT)
    outputs = bundled(bundler, tmp_path / "bundled")
    write_task(rootfs / "task", bundler, outputs)
    handlers = [f"{output.path}/index.handler" for output in outputs]
    # Where the file itself is good, so that the name decides.
    handlers += [f"{output.path}/index.nosuch" for output in outputs if is_good(output)]
    image = image_of(tmp_path / "image", rootfs)

    with ThreadPoolExecutor(THREADS) as threads:
        happened = dict(
            zip(handlers, threads.map(lambda h: reported(rootfs, h), handlers), strict=True)
        )
    said = {handler: predicted(image, handler, tmp_path / "cache") for handler in handlers}

    # A false alarm is never right; what is missed is known, one by one.
    assert {
        handler: said[handler] for handler in handlers if said[handler] and not happened[handler]
    } == {}
    missed = {handler for handler in handlers if happened[handler] and not said[handler]}
    assert missed == MISSED.get(bundler, set())
    starts = {handler for handler in handlers if not happened[handler]}
    # All these are good: something else than the bundle would be broken.
    assert {f"{output.path}/index.handler" for output in outputs if is_good(output)} <= starts
    assert not any(handler.endswith(".nosuch") for handler in starts)


def is_good(output: Output) -> bool:
    kind, _, way = output.source.name.partition("-")
    is_whole = way in {"plain", "minified"} or output.place == "installed"
    return kind == output.kind and is_whole


def bundled(bundler: str, folder: Path) -> list[Output]:
    """Bundle the handler, and say what is to become of each output."""
    if not (BUNDLERS / "node_modules").exists():
        raise MissingToolError(f"{BUNDLERS}/node_modules is needed: npm ci --prefix {BUNDLERS}")
    node = node_folder("22") / "bin/node"
    run([str(node), str(BUNDLERS / "build.mjs"), bundler, str(folder)])
    sources = sorted(path for path in folder.iterdir() if path.name.startswith(TYPES))
    assert len(sources) >= 6
    whole = "installed" if bundler in COMPILERS else "bare"
    outputs = [Output(whole, source, kind) for source in sources for kind in TYPES]
    other = "bare" if bundler in COMPILERS else "installed"
    return outputs + [
        Output(other, source, source.name.partition("-")[0])
        for source in sources
        if source.name.endswith("-external")
    ]


def write_task(task: Path, bundler: str, outputs: list[Output]) -> None:
    """Write the outputs, and the packages that are installed beside them."""
    bare = [name for name in PACKAGES if name != "uuid"] if bundler in COMPILERS else []
    installed = PACKAGES if bundler in COMPILERS else ["uuid"]
    for place, packages in (("bare", bare), ("installed", installed)):
        for name in packages:
            package = BUNDLERS / "node_modules" / name
            types = shutil.ignore_patterns("*.ts", "*.cts", "src")
            shutil.copytree(package, task / place / "node_modules" / name, ignore=types)
    for output in outputs:
        shutil.copytree(output.source, task / output.path)
        (task / output.path / "package.json").write_text(json.dumps({"type": output.kind}))


def image_of(folder: Path, rootfs: Path) -> Image:
    """Write an image of a root directory, whose client has a native part."""
    header = File(
        "usr/local/include/node/node_version.h",
        (node_folder("22") / "include/node/node_version.h").read_bytes(),
    )
    members = list(members_of(rootfs))
    layers = [
        layer_of(*(m for m in members if is_of_node(m))),
        layer_of(header, *(m for m in members if not is_of_node(m))),
    ]
    return write_image(
        folder,
        layers,
        entrypoint=["/usr/local/bin/node", "/client/node_modules/.bin/aws-lambda-ric"],
        workdir="/task",
        env=ENV,
        architecture=HOST,
    )


def is_of_node(member: Member) -> bool:
    return isinstance(member, File) and not member.path.startswith(("client/", "task/"))


def members_of(rootfs: Path) -> Iterator[Member]:
    for path in sorted(rootfs.rglob("*")):
        name = str(path.relative_to(rootfs))
        if path.is_symlink():
            yield Symlink(name, str(path.readlink()))
        elif path.name == "rapid-client.node":
            yield File(name, tiny_elf())
        elif path.is_file():
            yield File(name, path.read_bytes(), path.stat().st_mode & 0o777)


def reported(rootfs: Path, handler: str) -> str:
    """Return the error type that a real start ends with; nothing where all is well."""
    env = {**ENV, "_HANDLER": handler}
    started = start_folder(rootfs, command_of(handler), workdir="/task", env=env, timeout=60)
    return started.error_type


def predicted(image: Image, handler: str, cache: Path) -> str:
    """Return the error type that is named first; nothing where all is well."""
    report = check_image(
        parse_reference(image.reference),
        replace(ON_HOST, command=(handler,)),
        cache=LayerCache(cache),
        progress=Silent(),
    )
    errors = [finding for finding in report.findings if finding.severity == "error"]
    return errors[0].error_type if errors else ""
