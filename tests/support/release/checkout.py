"""A checkout of a project, as small as commands that ask git and cdk.json let it be."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from config.image_lock import ImagePin, read_image_lock, write_image_lock
from config.project import Project, Stage
from imagecheck.function import Architecture
from release.build.gates import Gate, Passed, note_gate
from release.build.record import BuildRecord, write_record
from tests.support.cdk_context import ROOT

ARCHITECTURE: Final[Architecture] = "x86_64"
BASE_DIGEST = "sha256:" + "b" * 64
PIN: Final = ImagePin(
    digest="sha256:" + "d" * 64,
    architecture=ARCHITECTURE,
    base_digest=BASE_DIGEST,
    source_revision="c" * 40,
    pinned_at="2026-11-25T00:00:00Z",
)
RECORD: Final = BuildRecord(
    digest="sha256:" + "1" * 64,
    architecture="arm64",
    base_digest="sha256:" + "2" * 64,
    source_revision="3" * 40,
    dirty=False,
    built_at="2026-01-01T00:00:00Z",
)
"""The record of a build of an arm64 image."""


@dataclass(frozen=True)
class Checkout:
    root: Path
    project: Project

    @property
    def lock(self) -> Path:
        return self.root / "image-lock.json"

    @property
    def commit(self) -> str:
        return git(self.root, "rev-parse", "HEAD").strip()

    def stage(self, name: str) -> Stage:
        return self.project.stage(name)

    def commit_all(self) -> str:
        git(self.root, "add", "--all")
        git(self.root, "commit", "--quiet", "--allow-empty", "--message", "work")
        return self.commit

    def pin(self, stage: str, pin: ImagePin) -> None:
        write_image_lock(self.lock, {**read_image_lock(self.lock), stage: pin})

    def record(
        self, digest: str, *, passed: Sequence[Gate] = ("check", "boot"), **changes: Any
    ) -> BuildRecord:
        """Write that an image was built from here, and has passed its gates."""
        fields = {
            "architecture": ARCHITECTURE,
            "base_digest": BASE_DIGEST,
            "source_revision": self.commit,
            "dirty": False,
            "built_at": "2026-01-01T00:00:00Z",
            **changes,
        }
        record = BuildRecord(digest=digest, **fields)
        write_record(self.root, record)
        (self.root / "build/gates.json").unlink(missing_ok=True)
        note_passed(self.root, record, passed)
        return record


def note_passed(root: Path, record: BuildRecord, gates: Sequence[Gate]) -> None:
    """Note that the image that was built last has passed these gates, and no other."""
    for gate in gates:
        passed = Passed(at=record.built_at, architecture=record.architecture)
        assert note_gate(root, record.digest, record.architecture, gate, passed)


def checkout(folder: Path, **stages: dict[str, Any]) -> Checkout:
    """Make a repository with one commit. ``stages`` changes settings of stages."""
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    settings = {"dev": context["stages"]["dev"], "prd": context["stages"]["prd"]}
    for name, one in settings.items():
        settings[name] = {**one, "architecture": ARCHITECTURE, **stages.get(name, {})}
    text = json.dumps({"context": {"stages": settings, "imageLock": "image-lock.json"}})
    (folder / "lambda_src").mkdir(parents=True)
    (folder / "cdk.json").write_text(text)
    (folder / "image-lock.json").write_text("{}\n")
    (folder / "lambda_src/app.py").write_text("first\n")
    (folder / ".gitignore").write_text("build/\n")
    git(folder, "init", "--quiet")
    git(folder, "config", "user.name", "Tester")
    git(folder, "config", "user.email", "tester@example.com")
    made = Checkout(folder, Project(folder, json.loads(text)["context"]))
    made.commit_all()
    return made


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True
    ).stdout
