"""The check that a package with native modules is loaded on the way to the handler."""

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from imagecheck.image.filesystem import Node
from imagecheck.start.native.imports import certainly_imported
from imagecheck.start.native.package import NativePackage

if TYPE_CHECKING:
    from imagecheck.subject import Subject

_MAX_TEXTS = 50
# A package that goes on without its native module, as bufferutil does.
_TRIES = re.compile(rb"\btry\s*\{[^{}]*\brequire\s*\(")
_PACKAGE = re.compile(r"(.*/node_modules/(?:@[^/]+/)?[^/@]+)/")


def loaded_for_certain(
    subject: "Subject", packages: Sequence[NativePackage]
) -> dict[NativePackage, str]:
    """Return those of the packages without whose native modules the handler cannot be loaded.

    With each, the path of the file that loads it. Raises ImageReadError.
    """
    loaded = subject.judgement.loaded
    by_path = {node.path: node for node in loaded}
    found: dict[NativePackage, str] = {}
    for package in packages:
        direct = next((m.path for m in package.modules if m.path in by_path), "")
        if direct:
            found[package] = direct
    of_node = [one for one in packages if one.language == "node" and one not in found]
    if of_node:
        found |= _loaders_in_node(subject, of_node, by_path)
    rest = [one for one in packages if one.language == "python" and one not in found]
    if rest:
        modules = [module for package in rest for module in package.modules]
        reached = certainly_imported(subject, loaded, modules)
        for package in rest:
            path = next((m.path for m in package.modules if m.path in reached), "")
            if path:
                found[package] = path
    return found


def _loaders_in_node(
    subject: "Subject", packages: Sequence[NativePackage], loaded: Mapping[str, Node]
) -> dict[NativePackage, str]:
    """Find what loads them. The layers are read once, however many packages there are."""
    own = {
        package: [node for path, node in loaded.items() if package.has(path)][:_MAX_TEXTS]
        for package in packages
        if not package.is_family
    }
    manifests = list(_manifests(subject, loaded)) if len(own) < len(packages) else []
    texts = subject.contents([*manifests, *(node for nodes in own.values() for node in nodes)])
    wanted = {posixpath.dirname(m.path): _dependencies(texts[m.path]) for m in manifests}
    found: dict[NativePackage, str] = {}
    for package in packages:
        if package.is_family:
            names = {_package_name(folder) for folder in package.folders}
            by = next((folder for folder, asked in wanted.items() if names & set(asked)), "")
        else:
            nodes = own[package]
            tries = any(_TRIES.search(texts[node.path]) for node in nodes)
            by = nodes[0].path if nodes and not tries else ""
        if by:
            found[package] = by
    return found


def _manifests(subject: "Subject", loaded: Mapping[str, Node]) -> Iterator[Node]:
    """Yield the manifests of what is loaded: it may choose from packages of one platform each."""
    assert subject.files  # noqa: S101  (nodes come from files)
    for folder in dict.fromkeys(m[1] for path in loaded if (m := _PACKAGE.match(path))):
        if node := subject.files.find(f"{folder}/package.json"):
            yield node


def _package_name(folder: str) -> str:
    return folder.rpartition("/node_modules/")[2]


def _dependencies(text: bytes) -> Iterable[str]:
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ()
    if not isinstance(document, dict):
        return ()
    kinds = (document.get(kind) for kind in ("dependencies", "optionalDependencies"))
    return [name for kind in kinds if isinstance(kind, dict) for name in kind]
