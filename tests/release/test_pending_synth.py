"""A synth that begins before the image is known, with the real CDK CLI."""

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from config.image_lock import read_image_lock
from config.project import Project
from demo.incident.checkout import Checkout
from imagecheck.errors import FailedError
from release.cloud_assembly import (
    assemblies_of,
    assembly_of,
    assembly_with_image,
    begin_synth,
)
from tests.support.cdk_context import CDK_JSON, PINNED, ROOT

PINS = read_image_lock(ROOT / PINNED)


@pytest.fixture
def project_copy(tmp_path: Path) -> Project:
    root = Checkout(tmp_path / "checkout", {}, tmp_path / "log").root
    return Project(root, CDK_JSON["context"])


@pytest.mark.proof
def test_a_synth_that_was_begun_before_gives_what_one_that_was_not_gives(
    project_copy: Project,
) -> None:
    dev, prd = project_copy.stage("dev"), project_copy.stage("prd")
    pins = [(dev, PINS["dev"]), (prd, PINS["prd"])]
    with closing(begin_synth(project_copy, [dev, prd])) as pending:
        begun = assemblies_of(project_copy, pins, pending)
    made = {one.name: one.read_bytes() for one in begun[0].folder.glob("*.template.json")}
    assert [one.pin(stage) for one, stage in zip(begun, (dev, prd), strict=True)] == [
        PINS["dev"],
        PINS["prd"],
    ]
    # What is there is taken, and nothing is synthesized for it.
    assert assembly_of(project_copy, prd, PINS["prd"]).folder == begun[1].folder
    assert assembly_with_image(project_copy, dev, PINS["dev"].digest).folder == begun[0].folder

    shutil.rmtree(project_copy.root / "build")
    alone = assemblies_of(project_copy, pins)

    assert {one.name: one.read_bytes() for one in alone[0].folder.glob("*.template.json")} == made


@pytest.mark.proof
def test_a_stage_that_was_synthesized_alone_does_not_stand_for_the_next_one(
    project_copy: Project,
) -> None:
    dev, prd = project_copy.stage("dev"), project_copy.stage("prd")
    alone = assembly_of(project_copy, dev, PINS["dev"])
    together = assemblies_of(project_copy, [(dev, PINS["dev"]), (prd, PINS["prd"])])

    assert together[0].folder == alone.folder, "it may be in use"
    assert [one.pin(stage) for one, stage in zip(together, (dev, prd), strict=True)] == [
        PINS["dev"],
        PINS["prd"],
    ]
    assert together[1].template(prd).is_file()


@pytest.mark.proof
def test_a_synth_that_was_begun_of_other_files_is_not_taken(
    project_copy: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    dev = project_copy.stage("dev")
    with closing(begin_synth(project_copy, [dev])) as pending:
        with (project_copy.root / "stacks/rooms_stack.py").open("a") as rooms:
            rooms.write("# changed\n")
        monkeypatch.setattr(pending, "finish", None)
        (assembly,) = assemblies_of(project_copy, [(dev, PINS["dev"])], pending)
    assert assembly.pin(dev) == PINS["dev"]


@pytest.mark.proof
def test_a_synth_that_was_begun_and_fails_says_why(project_copy: Project) -> None:
    (project_copy.root / "app.py").write_text("raise SystemExit('the app says no')\n")
    dev = project_copy.stage("dev")
    with (
        closing(begin_synth(project_copy, [dev])) as pending,
        pytest.raises(FailedError, match=r"`cdk synth` failed:[^$]*the app says no"),
    ):
        assemblies_of(project_copy, [(dev, PINS["dev"])], pending)
    assert list((project_copy.root / "build").rglob("*.new")) == []
