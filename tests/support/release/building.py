"""Small projects to build images from, and bases that are small too."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from config.project import Project, Stage, project_here
from tests.support.cdk_context import CDK_JSON, ROOT
from tests.support.imagecheck.images import File, Layer, layer_of, write_image
from tests.support.imagecheck.programs import HOST, aws_like_base, busybox, of_other_cpu
from tests.support.imagecheck.tools import run, skopeo_copy

HOST_CPU = {"amd64": "x86_64", "arm64": "arm64"}[HOST]
OTHER_CPU = {"x86_64": "arm64", "arm64": "x86_64"}[HOST_CPU]
STAGE = "local"
_GIT = ["git", "-c", "user.name=Tests", "-c", "user.email=tests@localhost"]
SHELL_LAYER = layer_of(*aws_like_base())
_SHELL = File("bin/busybox", busybox(), 0o755)
LYING_LAYER = layer_of(
    *(member for member in aws_like_base() if member != _SHELL),
    File("bin/busybox", of_other_cpu(busybox()), 0o755),
)
"""Its shell is of the other CPU."""


def write_project(folder: Path, source: Mapping[str, str] | None = None) -> Path:
    """Write a project as one commit, with a stage for this machine's CPU.

    ``source`` is what lambda_src has, by name; without it, that is our own.
    """
    folder.mkdir(parents=True)
    context = {**CDK_JSON["context"], "stages": dict(CDK_JSON["context"]["stages"])}
    context["stages"][STAGE] = {**context["stages"][STAGE], "architecture": HOST_CPU}
    (folder / "cdk.json").write_text(json.dumps({**CDK_JSON, "context": context}))
    (folder / "image-lock.json").write_text("{}\n")
    shutil.copy(ROOT / ".gitignore", folder)
    if source is None:
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "lambda_src", folder / "lambda_src", ignore=ignore)
    for name, text in (source or {}).items():
        path = folder / "lambda_src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    run(["git", "init", "--quiet", str(folder)])
    commit(folder)
    return folder


def commit(folder: Path) -> str:
    """Commit all that there is, and return the commit."""
    git = [*_GIT, "-C", str(folder)]
    run([*git, "add", "--all"])
    run([*git, "commit", "--quiet", "--allow-empty", "--message", "as it is"])
    return run([*git, "rev-parse", "HEAD"]).strip()


def clone(origin: Path, folder: Path, *, umask: int = 0o022) -> Path:
    """Clone a project, as somebody does whose files are for these others to read."""
    command = ["git", "clone", "--quiet", str(origin), str(folder)]
    subprocess.run(command, check=True, capture_output=True, umask=umask)
    return folder


def project_in(folder: Path) -> tuple[Project, Stage]:
    """Return the project in a folder, and its stage for this machine's CPU."""
    before = Path.cwd()
    try:
        os.chdir(folder)
        project = project_here()
    finally:
        os.chdir(before)
    return project, project.stage(STAGE)


def push_small_base(
    host: str, folder: Path, *, architecture: str = HOST, layer: Layer = SHELL_LAYER
) -> str:
    """Push a base that has a shell and no Python, and return its name by digest."""
    image = write_image(
        folder, [layer], architecture=architecture, entrypoint=["/lambda-entrypoint.sh"]
    )
    skopeo_copy(image.reference, f"docker://{host}/small:{architecture}")
    return f"{host}/small@{image.digest}"
