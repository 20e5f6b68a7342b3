"""Packages with native parts, as npm and pip install them: what loads is passed, the rest is named.

They are installed for both CPUs. Whether one loads, the real Node and the real Python say: each
package is loaded from each tree by a process of its own. No expectation is written down here but
those that UNSEEN gives reasons for.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import pytest

from imagecheck.budget import Budget
from imagecheck.check import check_image, judge
from imagecheck.function import MACHINES, Architecture, Function
from imagecheck.image.filesystem import Node
from imagecheck.image.layer import MAX_FILE_BYTES, FileKind
from imagecheck.image.layer_cache import LayerCache
from imagecheck.image.reference import parse_reference
from imagecheck.rule import START
from imagecheck.subject import Contents, Subject
from tests.support.imagecheck.cases import HOST_CPU, OTHER_CPU, Silent
from tests.support.imagecheck.images import Directory, File, Layer, Member, layer_of, write_image
from tests.support.imagecheck.programs import ENTRYPOINT, tiny_elf
from tests.support.imagecheck.tools import run, tool

pytestmark = pytest.mark.proof

Language = Literal["node", "python"]

FOLDER = Path(__file__).with_name("native")
NPM_CPUS = {"x86_64": "x64", "arm64": "arm64"}
WHEEL_CPUS = {"x86_64": "x86_64", "arm64": "aarch64"}
IMAGE_CPUS = {"x86_64": "amd64", "arm64": "arm64"}
PYTHON = "3.11"
TASK = {"node": "var/task/node_modules", "python": "var/task"}
NAMES: Mapping[Language, tuple[str, ...]] = {
    "node": tuple(json.loads((FOLDER / "package.json").read_bytes())["dependencies"]),
    "python": tuple((FOLDER / "modules.txt").read_text().split()),
}
AT_LEAST = {"node": 15, "python": 25}
UNSEEN: Mapping[str, str] = {
    "@mongodb-js/zstd": "a function of its own looks for what was not built, and throws",
    "kerberos": "a function of another of its modules looks for what was not built, and throws",
    "zstandard": "the value of an environment variable decides what it imports",
}
"""Packages that fail without an error of check's, and why."""
_LIBRARIES = (
    "libc.so.6", "libdl.so.2", "libgcc_s.so.1", "libm.so.6", "libpthread.so.0", "libresolv.so.2",
    "librt.so.1", "libstdc++.so.6", "libutil.so.1", "libz.so.1",
)  # fmt: skip
"""What wheels and addons may count on, as AWS's base has it: https://peps.python.org/pep-0599/ ."""
_LOADERS = {
    "x86_64": "lib64/ld-linux-x86-64.so.2",
    "arm64": "lib/ld-linux-aarch64.so.1",
}
_KEPT = re.compile(r".*\.(?:js|cjs|mjs|json|node|wasm|py|so|pth)|.*\.so\..+|METADATA|RECORD|WHEEL")


@dataclass(frozen=True)
class Row:
    """A package in a tree, and a function that loads it."""

    name: str
    tree: Architecture
    function: Architecture
    loads: bool
    errors: str
    """What check says; empty where there is no error."""

    def __str__(self) -> str:
        where = f"{self.tree} on {self.function}"
        word = "loads" if self.loads else "fails"
        return f"{self.name:34} {where:17} {word}  {self.errors[:200] or '-'}"


@dataclass(frozen=True)
class Tree:
    """Packages of one language, installed for one CPU, in an image for that CPU."""

    language: Language
    cpu: Architecture
    folder: Path
    layer: Layer

    @property
    def names(self) -> tuple[str, ...]:
        return NAMES[self.language]

    def loads(self, name: str) -> bool:
        """Whether the real interpreter, of this machine, loads a package from it."""
        if self.language == "node":
            command = [tool("node"), "-e", f"require({name!r})"]
        else:
            code = f"import sys; sys.path.insert(0, {str(self.folder)!r}); import {name}"
            command = [sys.executable, "-I", "-S", "-B", "-c", code]
        done = subprocess.run(command, cwd=self.folder.parent, capture_output=True, check=False)
        assert done.returncode in {0, 1}, (name, done)
        return done.returncode == 0

    def errors(self, cpu: Architecture, folder: Path) -> Iterator[tuple[str, str]]:
        """Go through the packages; with each, what check says of a function of a CPU that loads it.

        Empty where there is no error.
        """
        subject = self._subject(cpu, folder)
        for name in self.names:
            function = replace(subject.function, command=(f"{_module(name)}.handler",))
            findings = judge(replace(subject, function=function, budget=Budget())).findings
            errors = [
                f"{one.rule}: {one.found}"
                for one in findings
                if one.severity == "error" and one.when == START
            ]
            yield name, "; ".join(errors)

    def _subject(self, cpu: Architecture, folder: Path) -> Subject:
        image = write_image(
            folder,
            [layer_of(*_base(self.language, cpu)), self.layer],
            architecture=IMAGE_CPUS[cpu],
            entrypoint=["/lambda-entrypoint.sh"],
            cmd=["index.handler"],
            env={"NODE_VERSION": _node_version()} if self.language == "node" else {},
        )
        report = check_image(
            parse_reference(image.reference),
            Function(cpu),
            cache=LayerCache(None),
            progress=Silent(),
        )
        return replace(report.subject, contents=_remembered(report.subject))


def _remembered(subject: Subject) -> Contents:
    """Read the image's texts once for all of its handlers."""
    files = subject.files
    assert files
    nodes = [node for node in files.below("/") if node.kind is FileKind.FILE and not node.entry.elf]
    known = subject.contents(nodes)

    def contents(nodes: Iterable[Node], limit: int = MAX_FILE_BYTES, /) -> Mapping[str, bytes]:
        wanted = list(nodes)
        rest = [node for node in wanted if node.path not in known]
        found = {node.path: known[node.path][:limit] for node in wanted if node.path in known}
        return {**found, **(subject.contents(rest, limit) if rest else {})}

    return contents


def _module(name: str) -> str:
    return "load_" + re.sub(r"\W", "_", name)


@pytest.fixture(scope="module", params=["node", "python"])
def trees(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Tree, Tree]]:
    """Install the packages of a language for this machine's CPU and for the other."""
    install = {"node": _npm, "python": _pip}[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    try:
        yield (
            tree_of(request.param, HOST_CPU, install(folder / HOST_CPU, HOST_CPU)),
            tree_of(request.param, OTHER_CPU, install(folder / OTHER_CPU, OTHER_CPU)),
        )
    finally:
        shutil.rmtree(folder)


@pytest.mark.timeout(900)
def test_what_loads_is_passed_and_the_rest_is_named(trees: tuple[Tree, Tree]) -> None:
    host, other = trees
    here = {name: host.loads(name) for name in host.names}
    foreign = {name: other.loads(name) for name in other.names}
    # What loads here of the tree for this CPU loads there of the tree for that one.
    rows = [
        *_rows(host, HOST_CPU, here),
        *_rows(other, HOST_CPU, foreign),
        *_rows(other, OTHER_CPU, here),
    ]
    sys.stdout.write("\n".join(["", *map(str, rows), ""]))

    assert sum(here.values()) >= AT_LEAST[host.language]
    assert sum(foreign.values()) < sum(here.values())
    assert [str(row) for row in rows if row.loads and row.errors] == []
    silent = {row.name for row in rows if not row.loads and not row.errors}
    assert silent == UNSEEN.keys() & set(host.names)


def _rows(tree: Tree, cpu: Architecture, loads: Mapping[str, bool]) -> Iterator[Row]:
    with TemporaryDirectory(prefix="image-") as folder:
        for name, errors in tree.errors(cpu, Path(folder)):
            yield Row(name, tree.cpu, cpu, loads[name], errors)


def _npm(folder: Path, cpu: Architecture) -> Path:
    folder.mkdir()
    for name in ("package.json", "package-lock.json", ".npmrc"):
        (folder / name).write_bytes((FOLDER / name).read_bytes())
    options = ["--os=linux", f"--cpu={NPM_CPUS[cpu]}", "--libc=glibc"]
    run([tool("npm"), "ci", "--silent", *options, "--prefix", str(folder)])
    return folder / "node_modules"


def _pip(folder: Path, cpu: Architecture) -> Path:
    platforms = [
        f"--platform=manylinux{version}_{WHEEL_CPUS[cpu]}" for version in ("_2_28", "2014", "_2_17")
    ]
    run([
        sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes",
        "--no-compile", "--disable-pip-version-check", f"--target={folder}",
        "--only-binary=:all:", f"--python-version={PYTHON}", "--implementation=cp", *platforms,
        f"--requirement={FOLDER / 'requirements.txt'}",
    ])  # fmt: skip
    return folder


def tree_of(language: Language, cpu: Architecture, folder: Path) -> Tree:
    """Make a layer of a folder of packages, and of a handler for each."""
    members = _members(folder, TASK[language])
    # Packing takes longer than reading, and the media type of a layer is not a matter of a start.
    layer = layer_of(*members, *_handlers(language), compression="none")
    return Tree(language, cpu, folder, layer)


def _base(language: Language, cpu: Architecture) -> Iterator[Member]:
    """Yield what of AWS's base is looked at."""
    program = tiny_elf(machine=MACHINES[cpu], interpreter=f"/{_LOADERS[cpu]}")
    yield from _libraries(cpu)
    yield File("bin/sh", program, 0o755)
    yield File("lambda-entrypoint.sh", ENTRYPOINT, 0o755)
    yield File("var/runtime/bootstrap", "#!/bin/sh\n", 0o755)
    yield Directory("var/task")
    if language == "node":
        major, minor, _ = _node_version().split(".")
        header = f"#define NODE_MAJOR_VERSION {major}\n#define NODE_MINOR_VERSION {minor}\n"
        yield File("var/lang/bin/node", program, 0o755)
        yield File("var/lang/include/node/node_version.h", header)
        yield File("var/runtime/index.mjs", "")
        return
    yield File(f"var/lang/bin/python{PYTHON}", program, 0o755)
    yield File(f"var/lang/lib/python{PYTHON}/os.py", "")
    yield File("var/runtime/bootstrap.py", "")
    yield File("var/runtime/awslambdaric/__init__.py", "")


def _libraries(cpu: Architecture) -> Iterator[Member]:
    """Yield this machine's glibc; for the other CPU files of its names."""
    stub = tiny_elf(machine=MACHINES[cpu])
    yield File(_LOADERS[cpu], stub, 0o755)
    known = dict(re.findall(r"(\S+) \(libc6,\S+\) => (\S+)", run(["/sbin/ldconfig", "-p"])))
    for name in _LIBRARIES:
        content = Path(known[name]).read_bytes() if cpu == HOST_CPU else stub
        yield File(f"lib64/{name}", content, 0o755)


def _handlers(language: Language) -> Iterator[Member]:
    for name in NAMES[language]:
        if language == "node":
            text = f"require({name!r});\nexports.handler = async () => ({{}});\n"
            yield File(f"var/task/{_module(name)}.js", text)
        else:
            text = f"import {name}\n\n\ndef handler(event, context):\n    return event\n"
            yield File(f"var/task/{_module(name)}.py", text)


def _members(folder: Path, into: str) -> Iterator[Member]:
    """Yield what can be loaded: code, manifests and machine code."""
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            if _KEPT.fullmatch(name):
                yield File(f"{into}/{path.relative_to(folder)}", path.read_bytes())


def _node_version() -> str:
    return run([tool("node"), "--version"]).strip().removeprefix("v")
