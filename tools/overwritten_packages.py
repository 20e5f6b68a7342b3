"""Finds installed packages that another one has overwritten a file of.

Two packages may hold the same file with different content, and the one that is written last has it.
pip installs what a package needs before the package. uv writes all at the same time.
"""

import base64
import csv
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable
from importlib.metadata import Distribution
from pathlib import Path


def overwritten(packages: Iterable[Distribution]) -> set[str]:
    """Return the names of packages that lack a file of theirs, since what they need has its own.

    A package that needs another knows of it, and so its file is the one that is meant.
    """
    holders: defaultdict[str, dict[str, str]] = defaultdict(dict)
    known: dict[str, Distribution] = {}
    for package in packages:
        name = _normal(package.metadata["Name"])
        known[name] = package
        for path, digest in _record(package):
            holders[path][name] = digest
    found = set()
    for path, digests in holders.items():
        if len(set(digests.values())) == 1:
            continue
        for name, digest in digests.items():
            if _needed(known[name]) & digests.keys() and not _is_there(known[name], path, digest):
                found.add(name)
    return found


def _record(package: Distribution) -> Iterable[tuple[str, str]]:
    """Return the files of a package and their hashes, in the words of PyPA's specification."""
    for path, digest, _ in csv.reader((package.read_text("RECORD") or "").splitlines()):
        if digest:
            yield path, digest


def _is_there(package: Distribution, path: str, digest: str) -> bool:
    file = Path(str(package.locate_file(path)))
    algorithm, _, expected = digest.partition("=")
    content = hashlib.new(algorithm, file.read_bytes() if file.is_file() else b"").digest()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode() == expected


def _needed(package: Distribution) -> set[str]:
    names = (re.match(r"[\w.-]+", requirement) for requirement in package.requires or ())
    return {_normal(name[0]) for name in names if name}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
