"""What a cloud assembly is made of, in a few characters."""

import hashlib
import importlib.metadata
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from config.project import Project
from imagecheck.errors import FailedError

# All that the app reads. A file more costs a synth too many, a file less an assembly that is old.
_SOURCES: Final = (
    "app.py", "cdk.context.json", "cdk.json", "config", "constructs", "contract", "frontend",
    "imagecheck", "lambda_src", "package-lock.json", "requirements.txt", "stacks",
)  # fmt: skip
# A lock file says what is to be installed; these make the templates.
_LIBRARIES: Final = ("aws-cdk-lib", "constructs", "jsii")


def assembly_key(project: Project, context: Mapping[str, str]) -> str:
    """Return a name that is another one when the source, the context or the CDK library is."""
    made_with = [dict(context), {name: _version(name) for name in _LIBRARIES}]
    digest = hashlib.sha256(json.dumps(made_with, sort_keys=True).encode())
    for name, path in _sources(project.root):
        digest.update(name.encode("utf-8", "surrogateescape") + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def require_unchanged(project: Project, context: Mapping[str, str], key: str) -> None:
    """Raise FailedError when the key is no longer that of the project.

    What was synthesized since may be made of other files than its name says.
    """
    if assembly_key(project, context) != key:
        raise FailedError(
            "the project changed while it was synthesized", hint="run the command again"
        )


def _version(library: str) -> str:
    """Return which version is installed; empty: none is."""
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _sources(root: Path) -> Iterator[tuple[str, Path]]:
    for source in _SOURCES:
        path = root / source
        if path.is_file():
            yield source, path
        for folder, folders, files in os.walk(path):
            folders[:] = sorted(set(folders) - {"__pycache__", "node_modules"})
            for file in sorted(files):
                found = Path(folder, file)
                if found.is_file():
                    yield str(found.relative_to(root)), found
