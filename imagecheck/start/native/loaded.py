"""Whether a package with native modules is loaded on the way to the handler."""

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
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

    With each, the path of the file that loads it. Raises CannotLookError.
    """
    loaded = subject.judgement.loaded
    by_path = {node.path: node for node in loaded}
    found: dict[NativePackage, str] = {}
    for package in packages:
        direct = next((m.path for m in package.modules if m.path in by_path), "")
        if direct:
            found[package] = direct
        elif package.language == "node":
            by = _loader_in_node(subject, package, by_path)
            if by:
                found[package] = by
    rest = [one for one in packages if one.language == "python" and one not in found]
    if rest:
        modules = [module for package in rest for module in package.modules]
        reached = certainly_imported(subject, loaded, modules)
        for package in rest:
            path = next((m.path for m in package.modules if m.path in reached), "")
            if path:
                found[package] = path
    return found


def _loader_in_node(
    subject: "Subject", package: NativePackage, loaded: Mapping[str, Node]
) -> str | None:
    if package.is_family:
        return _owner(subject, package, loaded)
    own = [node for path, node in loaded.items() if package.has(path)][:_MAX_TEXTS]
    texts = subject.contents(own)
    if not own or any(_TRIES.search(text) for text in texts.values()):
        return None
    return own[0].path


def _owner(subject: "Subject", package: NativePackage, loaded: Mapping[str, Node]) -> str | None:
    """Find the loaded package that chooses from packages of one platform each."""
    assert subject.files  # noqa: S101  (nodes come from files)
    names = {_package_name(folder) for folder in package.folders}
    folders = dict.fromkeys(m[1] for path in loaded if (m := _PACKAGE.match(path)))
    manifests = [
        node for folder in folders if (node := subject.files.find(f"{folder}/package.json"))
    ]
    for path, text in subject.contents(manifests).items():
        if names & set(_dependencies(text)):
            return posixpath.dirname(path)
    return None


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
