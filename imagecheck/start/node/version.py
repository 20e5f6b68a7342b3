"""The Node version of an image, and how it treats modules."""

import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from imagecheck.image.filesystem import FileSystem

Version = tuple[int, int]
Read = Callable[[str], bytes | None]
"""Reads a file of the image; None where there is none."""

_HEADER = re.compile(rb"^#define NODE_(MAJOR|MINOR)_VERSION (\d+)", re.MULTILINE)
_CHANGELOG = re.compile(rb'<a href="(?:[\w./]*)#(\d+)\.(\d+)\.\d+">')
_APK = re.compile(rb"^P:nodejs(?:-current)?\nV:(\d+)\.(\d+)", re.MULTILINE)
_DPKG = re.compile(
    rb"^Package: nodejs\n(?:(?!\n\n)[\s\S])*?^Version: (?:\d+:)?(\d+)\.(\d+)", re.MULTILINE
)
_NUMBERS = re.compile(r"v?(\d+)\.(\d+)")
_HOOKS = (
    "--loader", "--experimental-loader", "--import", "--require=", "--preserve-symlinks",
)  # fmt: skip
_PACKAGED = ("/usr/bin/node", "/usr/bin/nodejs")


@dataclass(frozen=True)
class NodeRuntime:
    """What is known of the Node that runs. None: it depends on a version that is not known."""

    version: Version | None = None
    detects_modules: bool | None = None
    """Whether it takes a file that says nothing for an ES module by its syntax."""
    requires_modules: bool | None = None
    """Whether ``require`` loads ES modules."""
    strips_types: bool | None = None
    """Whether it runs TypeScript, without its types."""
    conditions: tuple[str, ...] = ()
    """Conditions of package.json beside the usual ones: ``--conditions``."""
    has_hooks: bool = False
    """Whether it is started with what may change how modules are found."""


def node_of(
    program: str, environment: Mapping[str, str], options: Sequence[str], read: Read
) -> NodeRuntime:
    """Describe the Node at a path that is started in this environment with these options."""
    words = [*environment.get("NODE_OPTIONS", "").split(), *options]
    version = _version(program, environment, read)
    return NodeRuntime(
        version,
        _switch(words, "detect-module", _detects(version)),
        _switch(words, "require-module", _requires(version)),
        _switch(words, "strip-types", _strips(version)),
        tuple(_values(words, ("-C", "--conditions"))),
        has_hooks=any(word.startswith(_HOOKS) or word in {"-r", "--require"} for word in words),
    )


def _detects(version: Version | None) -> bool | None:
    """https://nodejs.org/api/packages.html#syntax-detection ."""
    return None if version is None else version >= (22, 7) or (20, 19) <= version < (21, 0)


def _requires(version: Version | None) -> bool | None:
    """https://nodejs.org/api/modules.html#loading-ecmascript-modules-using-require ."""
    return None if version is None else version >= (22, 12) or (20, 19) <= version < (21, 0)


def _strips(version: Version | None) -> bool | None:
    """https://nodejs.org/api/typescript.html#type-stripping ."""
    return None if version is None else version >= (23, 6) or (22, 18) <= version < (23, 0)


def _switch(words: Sequence[str], name: str, default: bool | None) -> bool | None:
    for word in reversed(words):
        if word in {f"--experimental-{name}", f"--{name}"}:
            return True
        if word in {f"--no-experimental-{name}", f"--no-{name}"}:
            return False
    return default


def _values(words: Sequence[str], names: tuple[str, ...]) -> list[str]:
    values = [word.partition("=")[2] for word in words if word.partition("=")[0] in names]
    values += [after for word, after in pairwise(words) if word in names]
    return [value for value in values if value]


def _version(program: str, environment: Mapping[str, str], read: Read) -> Version | None:
    prefix = posixpath.dirname(posixpath.dirname(program))
    header = read(posixpath.join(prefix, "include/node/node_version.h")) or b""
    numbers = {name: int(number) for name, number in _HEADER.findall(header)}
    if len(numbers) == 2:  # noqa: PLR2004  (major and minor)
        return numbers[b"MAJOR"], numbers[b"MINOR"]
    if prefix != "/usr" and (
        match := _CHANGELOG.search(read(posixpath.join(prefix, "CHANGELOG.md")) or b"")
    ):
        return int(match[1]), int(match[2])
    if program in _PACKAGED:
        for path, pattern in (
            ("/lib/apk/db/installed", _APK),
            ("/usr/lib/apk/db/installed", _APK),
            ("/var/lib/dpkg/status", _DPKG),
        ):
            if match := pattern.search(read(path) or b""):
                return int(match[1]), int(match[2])
        return None
    said = _NUMBERS.match(environment.get("NODE_VERSION", ""))
    # What official images say of the Node that they have in /usr/local.
    return (int(said[1]), int(said[2])) if said and prefix == "/usr/local" else None


def node_on_aws_base(files: FileSystem, environment: Mapping[str, str], read: Read) -> NodeRuntime:
    """Describe the Node of AWS's base image, whose bootstrap adds options of its own.

    https://docs.aws.amazon.com/lambda/latest/dg/lambda-nodejs.html
    """
    program = "/var/lang/bin/node"
    bootstrap = read("/var/runtime/bootstrap") or b""
    added = [
        option
        for option in ("--no-experimental-detect-module", "--no-experimental-require-module")
        if option.encode() in bootstrap
    ]
    found = files.find(program)
    # What the function sets comes after, so it is what counts.
    after = {**environment, "NODE_OPTIONS": " ".join(added)}
    words = environment.get("NODE_OPTIONS", "").split()
    return node_of(found.path if found else program, after, words, read)
