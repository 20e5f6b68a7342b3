"""The facts of a base image that matter to a Lambda function."""

import re
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass

from imagecheck.errors import FailedError
from imagecheck.image.filesystem import FileSystem, Node
from imagecheck.image.image_reader import ImageReader
from imagecheck.image.layer import FileKind
from imagecheck.image.layer_cache import LayerCache, default_folder
from imagecheck.image.manifest import RuntimeConfig
from imagecheck.image.open_source import open_source
from imagecheck.image.reference import RegistryReference
from imagecheck.progress import ProgressBar
from imagecheck.start.aws_base import AWS_BOOTSTRAP, AWS_ENTRYPOINT

PACKAGES = ("awslambdaric", "boto3", "botocore")
"""The runtime client, and AWS's SDK, which comes with the base."""
_DIST_INFO = re.compile(rf".*/({'|'.join(PACKAGES)})-([^/]+)\.dist-info")
_PYTHON = re.compile(r"/var/lang/bin/python(3\.[0-9]+)")
_PYTHON_HEADER = re.compile(r"/var/lang/include/python3\.[0-9]+/patchlevel\.h")
_PYTHON_VERSION = re.compile(rb'#define\s+PY_VERSION\s+"([^"]+)"')
_GLIBC = re.compile(r"GLIBC_([0-9]+(?:\.[0-9]+)+)")


@dataclass(frozen=True)
class BaseFacts:
    """The facts of a base image."""

    digest: str
    """Of its manifest."""
    created: str | None
    """As its configuration has it."""
    compressed_size: int
    """Of all layers, in bytes."""
    config: RuntimeConfig
    layers: tuple[str, ...]
    """The digests of the compressed layers, lowest first."""
    files: FileSystem
    versions: Mapping[str, str]
    """Of ``python``, ``glibc`` and each of ``PACKAGES`` that is there."""
    scripts: Mapping[str, bytes]
    """The scripts that start the function, by path: as much of them as is read."""


def read_facts(reference: RegistryReference, architecture: str) -> BaseFacts:
    """Read an image of a registry.

    Raises:
        FailedError: it is not an image, or damaged.
        ImageReadError: the registry cannot be read.

    """
    with closing(open_source(reference)) as source, ProgressBar() as progress:
        reader = ImageReader(source, LayerCache(default_folder()), progress)
        image = reader.read(architecture)
        if not (image.files and image.config and image.manifest and image.manifest_digest):
            why = "; ".join(fault.text for fault in image.faults) or "it is not an image"
            raise FailedError(f"{reference} cannot be read: {why}")
        config = image.config.config or RuntimeConfig()
        nodes = list(image.files.below("/"))
        headers = [node for node in nodes if _PYTHON_HEADER.fullmatch(node.path)]
        starting = [*(config.entrypoint or [])[:1], AWS_ENTRYPOINT, AWS_BOOTSTRAP]
        scripts = {
            node.path: node
            for path in starting
            if (node := image.files.find(path)) and node.kind is FileKind.FILE
        }
        contents = reader.contents(image, [*scripts.values(), *headers])
        versions = {**_versions(nodes), **_python(contents[node.path] for node in headers)}
        layers = image.manifest.layers or []
        return BaseFacts(
            digest=image.manifest_digest,
            created=image.config.created,
            compressed_size=sum(layer.size for layer in layers),
            config=config,
            layers=tuple(layer.digest for layer in layers),
            files=image.files,
            versions=versions,
            scripts={path: contents[path] for path in scripts},
        )


def _versions(nodes: Iterable[Node]) -> dict[str, str]:
    found: dict[str, set[str]] = {}
    for node in nodes:
        if package := _DIST_INFO.fullmatch(node.path):
            found.setdefault(package[1], set()).add(package[2])
        elif python := _PYTHON.fullmatch(node.path):
            found.setdefault("python", set()).add(python[1])
        elif node.entry.elf and node.entry.elf.soname == "libc.so.6":
            # Each release adds symbols that have its number.
            numbers = [
                tuple(map(int, version[1].split(".")))
                for name in node.entry.elf.has_versions
                if (version := _GLIBC.fullmatch(name))
            ]
            if numbers:
                found.setdefault("glibc", set()).add(".".join(map(str, max(numbers))))
    return {name: ", ".join(sorted(versions)) for name, versions in found.items()}


def _python(headers: Iterable[bytes]) -> dict[str, str]:
    """Read the whole version, which is in no name of a file."""
    found = {match[1].decode() for text in headers if (match := _PYTHON_VERSION.search(text))}
    return {"python": ", ".join(sorted(found))} if found else {}
