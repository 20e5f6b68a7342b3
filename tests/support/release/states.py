"""States of a project: the real snapshots, with something changed."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from config.image_lock import ImagePin
from config.project import Project
from release.pipeline.changes.committed import SNAPSHOTS
from tests.support.cdk_context import CDK_JSON, ROOT
from tests.support.release.checkout import git

Template = dict[str, Any]
Edit = Callable[[Template], None]

PIN = ImagePin(
    digest="sha256:" + "1" * 64,
    architecture="arm64",
    base_digest="sha256:" + "b" * 64,
    source_revision="c" * 40,
    pinned_at="2026-01-01T00:00:00Z",
)


def state(folder: Path, *, edits: Mapping[str, Edit] | None = None, lock: Any = None) -> Path:
    """Write a state into a folder; ``edits`` are by stack and stage, such as ``rooms-dev``."""
    shutil.copytree(ROOT / SNAPSHOTS, folder / SNAPSHOTS, dirs_exist_ok=True)
    (folder / "image-lock.json").write_bytes(msgspec.json.encode(lock or {}))
    for name, edit in (edits or {}).items():
        path = snapshot(folder, name)
        template = json.loads(path.read_text(encoding="utf-8"))
        edit(template)
        path.write_text(json.dumps(template), encoding="utf-8")
    return folder


def snapshot(folder: Path, name: str) -> Path:
    return folder / SNAPSHOTS / f"test_template[{name}].json"


def project(root: Path) -> Project:
    return Project(root, CDK_JSON["context"])


def repository(folder: Path) -> str:
    """Make a repository of a folder, and return its commit."""
    git(folder, "init", "--quiet")
    return commit(folder)


def commit(folder: Path) -> str:
    git(folder, "add", "--all", "--force")
    author = ("-c", "user.name=Tester", "-c", "user.email=tester@example.com")
    git(folder, *author, "commit", "--quiet", "--message", "state")
    return git(folder, "rev-parse", "HEAD").strip()


def resource(template: Template, kind: str) -> Template:
    """Return the first resource of a type."""
    found: Template = template["Resources"][logical_id(template, kind)]
    return found


def logical_id(template: Template, kind: str) -> str:
    resources: Template = template["Resources"]
    return next(name for name, each in resources.items() if each["Type"] == kind)
