"""A synth that begins before the image is known, with the real CDK CLI."""

import shutil
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from config.image_lock import read_image_lock
from config.project import Project
from demo.incident.checkout import Checkout
from imagecheck.errors import FailedError
from release.cloud_assembly import (
    assembly_of,
    begin_synth,
    validated_assemblies,
)
from release.planned_pin import assembly_with_image
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
        begun = validated_assemblies(project_copy, pins, pending)
    made = {one.name: one.read_bytes() for one in begun[0].folder.glob("*.template.json")}
    assert [one.pin(stage) for one, stage in zip(begun, (dev, prd), strict=True)] == [
        PINS["dev"],
        PINS["prd"],
    ]
    # What is there is taken, and nothing is synthesized for it.
    assert assembly_of(project_copy, prd, PINS["prd"]).folder == begun[1].folder
    assert assembly_with_image(project_copy, dev, PINS["dev"].digest).folder == begun[0].folder

    shutil.rmtree(project_copy.root / "build")
    alone = validated_assemblies(project_copy, pins)

    assert {one.name: one.read_bytes() for one in alone[0].folder.glob("*.template.json")} == made


@pytest.mark.proof
def test_a_stage_that_was_synthesized_alone_does_not_stand_for_the_next_one(
    project_copy: Project,
) -> None:
    dev, prd = project_copy.stage("dev"), project_copy.stage("prd")
    (alone,) = validated_assemblies(project_copy, [(dev, PINS["dev"])])
    together = validated_assemblies(project_copy, [(dev, PINS["dev"]), (prd, PINS["prd"])])

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
        (assembly,) = validated_assemblies(project_copy, [(dev, PINS["dev"])], pending)
    assert assembly.pin(dev) == PINS["dev"]


@pytest.mark.proof
def test_what_was_bundled_for_one_assembly_is_not_bundled_again(project_copy: Project) -> None:
    dev = project_copy.stage("dev")
    first = assembly_of(project_copy, dev, PINS["dev"])
    with (project_copy.root / "constructs/local_bundling.py").open("a") as bundling:
        bundling.write("\n\nLocalBundling.try_bundle = None\n")

    again = assembly_of(project_copy, dev, PINS["dev"])

    assert again.folder != first.folder
    assert _assets(again.folder) == _assets(first.folder)
    with closing(begin_synth(project_copy, [dev])) as pending:
        (begun,) = validated_assemblies(project_copy, [(dev, PINS["dev"])], pending)
    assert _assets(begun.folder) == _assets(first.folder)


def _assets(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("asset.*/**/*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.mark.proof
@pytest.mark.parametrize("begun_before", [True, False])
def test_a_template_that_cannot_be_deployed_is_refused_by_the_gate_and_by_it_alone(
    project_copy: Project, begun_before: bool
) -> None:
    _add_a_table_that_dynamodb_does_not_know(project_copy.root / "stacks/registry_stack.py")
    dev = project_copy.stage("dev")
    with ExitStack() as stack:
        pending = begin_synth(project_copy, [dev]) if begun_before else None
        if pending:
            stack.callback(pending.close)
        with pytest.raises(FailedError, match=r"`cdk synth` failed:[^$]*BillingMode"):
            validated_assemblies(project_copy, [(dev, PINS["dev"])], pending)
    assert [*(project_copy.root / "build").rglob("manifest.json")] == []

    assert assembly_of(project_copy, dev, PINS["dev"]).pin(dev) == PINS["dev"]


@pytest.mark.proof
def test_a_synth_that_was_begun_and_fails_says_why(project_copy: Project) -> None:
    (project_copy.root / "app.py").write_text("raise SystemExit('the app says no')\n")
    dev = project_copy.stage("dev")
    with (
        closing(begin_synth(project_copy, [dev])) as pending,
        pytest.raises(FailedError, match=r"`cdk synth` failed:[^$]*the app says no"),
    ):
        validated_assemblies(project_copy, [(dev, PINS["dev"])], pending)
    assert list((project_copy.root / "build").rglob("*.new")) == []


def _add_a_table_that_dynamodb_does_not_know(stack: Path) -> None:
    with stack.open("a") as source:
        source.write(
            "\n\n_made = RegistryStack.__init__\n\n\n"
            "def _with_a_table(self, *given, **named):\n"
            "    from aws_cdk import CfnResource\n\n"
            "    _made(self, *given, **named)\n"
            "    properties = {'BillingMode': 'FREE_OF_CHARGE'}\n"
            "    CfnResource(self, 'Wrong', type='AWS::DynamoDB::Table', properties=properties)\n"
            "\n\nRegistryStack.__init__ = _with_a_table\n"
        )
