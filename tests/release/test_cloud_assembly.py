"""`release synth`, and what is read of the cloud assembly that it leaves."""

import importlib.metadata
import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.image_lock import ImagePin, read_image_lock, write_image_lock
from config.project import Project
from imagecheck.errors import FailedError
from release.build.record import BuildRecord, write_record
from release.cloud_assembly import (
    CloudAssembly,
    assembly_for_page,
    assembly_of,
    begin_synth,
    validated_assemblies,
)
from release.deploy.assembly_region import require_region
from release.errors import RefusedError
from release.planned_pin import assembly_with_image, planned_pin
from release.ship.image_steps import SYNTH
from release.ship.shipment import Shipment
from tests.support.cdk_context import CDK_JSON, PINNED, ROOT
from tests.support.release.commanding import Run, runner
from tests.support.templates import rooms_template

PINS = read_image_lock(ROOT / PINNED)
PROJECT = Project(ROOT, CDK_JSON["context"])
DEV = PROJECT.stage("dev")


def written(folder: Path, template: Any, stage: str = "dev") -> CloudAssembly:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").write_text("{}")
    (folder / f"hima-five-bomber-{stage}-rooms.template.json").write_text(json.dumps(template))
    return CloudAssembly(folder)


def test_the_image_is_the_one_that_the_template_writes_down(tmp_path: Path) -> None:
    assert written(tmp_path, rooms_template()).pin(DEV) == PINS["dev"]


def test_a_stage_that_is_not_in_it(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="synthesized without prd"):
        written(tmp_path, rooms_template()).pin(PROJECT.stage("prd"))


def test_a_zip_is_not_deployed_for_an_image(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="deploys a zip to dev"):
        written(tmp_path, rooms_template(packaging="zip")).pin(DEV)


def test_a_folder_that_is_no_assembly(tmp_path: Path) -> None:
    with pytest.raises(FailedError, match="no cloud assembly in") as error:
        CloudAssembly(tmp_path).pin(DEV)
    assert error.value.hint == "python -m release synth dev"


@pytest.mark.parametrize(
    "template",
    [
        [],
        {"Resources": {}},
        {"Resources": {"A": {"Type": "AWS::SSM::Parameter"}}},
        {"Resources": {"A": {}}},
        {
            "Resources": {
                "A": {
                    "Type": "AWS::SSM::Parameter",
                    "Properties": {"Name": "/hima-five-bomber/dev/release", "Value": {"Ref": "A"}},
                }
            }
        },
    ],
)
def test_a_template_of_something_else(tmp_path: Path, template: Any) -> None:
    with pytest.raises(FailedError, match="not a template of this project"):
        written(tmp_path, template).pin(DEV)


def test_a_template_that_is_nested_too_deeply(tmp_path: Path) -> None:
    assembly = written(tmp_path, {})
    assembly.template(DEV).write_text('{"a":' * 100_000)
    with pytest.raises(FailedError, match="not a template of this project"):
        assembly.pin(DEV)


def test_a_damaged_manifest(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(b'{"artifacts": "\xff"}')
    with pytest.raises(FailedError, match="manifest of a cloud assembly: it is not text"):
        require_region(CloudAssembly(tmp_path), DEV)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose CDK CLI writes down how it was called, and synthesizes from ``made``."""
    (tmp_path / "cdk.json").write_text(json.dumps(CDK_JSON))
    write_image_lock(tmp_path / "image-lock.json", PINS)
    made = tmp_path / "made"
    for stage in ("dev", "prd"):
        written(made, rooms_template(stage=stage), stage)
    cdk = tmp_path / "node_modules/.bin/cdk"
    cdk.parent.mkdir(parents=True)
    cdk.write_text(
        '#!/bin/sh\nfor a in "$@"; do case "$a" in --output=*) out="${a#--output=}";; esac; done\n'
        'printf "%s\\n" "$@" > called; env > environment; echo said; cp -r made "$out"\n'
    )
    cdk.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return partial(runner(monkeypatch, capsys), "synth")


def test_stages_are_synthesized_together_once(project: Path, run: Run) -> None:
    status, out, _ = run("dev", "prd")

    assert status == 0
    called = (project / "called").read_text().splitlines()
    assert called[-3:-1] == ["--context=stage=dev,prd", "--context=packaging=image"]
    assert "synth" in called
    assert (project / "build/assembly/manifest.json").is_file()
    assert out.splitlines() == [
        "build/assembly",
        f"  dev  {PINS['dev'].digest}",
        f"  prd  {PINS['prd'].digest}",
        "",
        "next: python -m release deploy dev --assembly build/assembly",
    ]


def test_in_json(project: Path, run: Run) -> None:
    status, out, _ = run("prd", "--to", "out", "--json")

    document = json.loads(out)
    assert (status, document["assembly"]) == (0, "out")
    assert document["pins"]["prd"]["digest"] == PINS["prd"].digest
    assert (project / "out/manifest.json").is_file()


def test_no_credentials_reach_it_since_they_would_name_an_account(
    project: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_PROFILE", "someone")

    run("dev")

    environment = (project / "environment").read_text()
    assert "AKIA" not in environment
    assert "AWS_PROFILE" not in environment
    assert "AWS_CONFIG_FILE=/dev/null" in environment


def test_what_was_there_before_is_gone(project: Path, run: Run) -> None:
    old = project / "build/assembly/asset.old"
    old.mkdir(parents=True)

    assert run("dev")[0] == 0
    assert not old.exists()


def test_where_it_fails_what_was_there_stays(project: Path, run: Run) -> None:
    old = project / "build/assembly/asset.old"
    old.mkdir(parents=True)
    (project / "node_modules/.bin/cdk").write_text("#!/bin/sh\necho no; exit 1\n")

    status, _, err = run("dev")

    assert status == 2
    assert "`cdk synth` failed" in err
    left = {path.name for path in (project / "build").iterdir()}
    assert left - {"assemblies.lock"} == {"assembly"}
    assert old.exists()


def test_a_stage_without_a_pin_is_said(project: Path, run: Run) -> None:
    write_image_lock(project / "image-lock.json", {"dev": PINS["dev"]})

    status, out, _ = run("dev", "prd")

    assert status == 0
    assert out.splitlines()[1:3] == [
        f"  dev  {PINS['dev'].digest}",
        "  prd  no image is pinned: only its registry",
    ]


# --- one synth for all that takes it ------------------------------------------------------------


def synths(folder: Path) -> int:
    """How often the CDK CLI has been called."""
    path = folder / "calls"
    return len(path.read_text().splitlines()) if path.exists() else 0


def count_calls(folder: Path) -> None:
    cdk = folder / "node_modules/.bin/cdk"
    cdk.write_text(cdk.read_text().replace("echo said;", "echo call >> calls;"))


@pytest.fixture
def checkout(project: Path) -> Project:
    """The project, which counts how often it is synthesized."""
    count_calls(project)
    (project / "stacks").mkdir()
    (project / "stacks/rooms_stack.py").write_text("one")
    return Project(project, CDK_JSON["context"])


def test_what_is_made_of_the_same_files_is_synthesized_once(checkout: Project) -> None:
    first = assembly_of(checkout, DEV, PINS["dev"])
    assert first.pin(DEV) == PINS["dev"]
    assert assembly_of(checkout, DEV, PINS["dev"]) == first
    assert synths(checkout.root) == 1


def test_check_and_boot_share_an_assembly(checkout: Project) -> None:
    assert assembly_with_image(checkout, DEV, "sha256:1") == assembly_with_image(
        checkout, DEV, "sha256:1"
    )
    assert synths(checkout.root) == 1
    assert assembly_with_image(checkout, DEV, "sha256:2").folder.is_dir()
    assert synths(checkout.root) == 2


@pytest.mark.parametrize("change", ["stacks/rooms_stack.py", "cdk.json", "frontend/new.js"])
def test_a_file_that_changes_is_synthesized_again(checkout: Project, change: str) -> None:
    first = assembly_of(checkout, DEV, PINS["dev"])
    path = checkout.root / change
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as file:
        file.write(" ")
    assert assembly_of(checkout, DEV, PINS["dev"]) != first


def test_another_pin_packaging_or_way_of_deploying_is_another_assembly(checkout: Project) -> None:
    folders = {
        assembly_of(checkout, DEV, PINS["dev"]).folder,
        assembly_of(checkout, DEV, PINS["prd"]).folder,
        assembly_of(checkout, DEV, None).folder,
        assembly_of(checkout, DEV, PINS["dev"], emergency=True).folder,
    }
    assert len(folders) == 4


def test_the_page_takes_the_assembly_of_the_deployment(checkout: Project) -> None:
    deployed = assembly_of(checkout, DEV, PINS["dev"])
    assert assembly_for_page(checkout, DEV) == deployed
    assert synths(checkout.root) == 1


@pytest.mark.parametrize("lock", ["{}", "[]", "nonsense"])
def test_a_wrong_lock_file_does_not_stop_the_page(checkout: Project, lock: str) -> None:
    checkout.lock.write_text(lock)
    assert assembly_for_page(checkout, DEV).folder.is_dir()


def test_a_synth_that_fails_leaves_no_assembly(checkout: Project) -> None:
    (checkout.root / "made").rename(checkout.root / "hidden")
    with pytest.raises(FailedError, match="`cdk synth` failed"):
        assembly_of(checkout, DEV, PINS["dev"])
    (checkout.root / "hidden").rename(checkout.root / "made")
    assert assembly_of(checkout, DEV, PINS["dev"]).pin(DEV) == PINS["dev"]


def two_days_ago(folder: Path) -> None:
    at = time.time() - 2 * 24 * 60 * 60
    os.utime(folder, (at, at))


def test_old_assemblies_are_removed(checkout: Project) -> None:
    made = []
    for n in range(6):
        made.append(assembly_with_image(checkout, DEV, f"sha256:{n}").folder)
        two_days_ago(made[-1])
    made.append(assembly_of(checkout, DEV, None).folder)
    assert sorted(made[-4:]) == sorted((checkout.root / "build/assemblies").iterdir())


PRD = PROJECT.stage("prd")


def record_of(pin: ImagePin) -> BuildRecord:
    """The record of the build that has made the image."""
    return BuildRecord(
        digest=pin.digest,
        architecture=pin.architecture,
        base_digest=pin.base_digest,
        source_revision=pin.source_revision,
        dirty=False,
        built_at="2026-01-01T00:00:00Z",
    )


def validation(folder: Path) -> str:
    """What the last synth was told of the validation of templates."""
    (line,) = (
        line
        for line in (folder / "environment").read_text().splitlines()
        if line.startswith("CDK_VALIDATION=")
    )
    return line.partition("=")[2]


def test_ship_and_synth_have_templates_validated_and_nothing_else_has(
    checkout: Project, run: Run
) -> None:
    validated_assemblies(checkout, [(DEV, PINS["dev"])])
    assert validation(checkout.root) == "true"
    assembly_of(checkout, DEV, None)
    assert validation(checkout.root) == "false"
    assembly_with_image(checkout, DEV, "sha256:1")
    assert validation(checkout.root) == "false"
    assert run("prd")[0] == 0
    assert validation(checkout.root) == "true"


def test_synth_leaves_validation_to_the_tests_where_it_is_told_to(
    checkout: Project, run: Run
) -> None:
    assert run("prd", "--skip-validation")[0] == 0
    assert validation(checkout.root) == "false"


def test_synth_does_not_take_what_was_not_validated(checkout: Project, run: Run) -> None:
    """What it leaves is deployed to every stage, whatever has been made beside."""
    (checkout.root / "made/hima-five-bomber-prd-rooms.template.json").unlink()
    assembly_of(checkout, DEV, PINS["dev"])

    assert run("dev")[0] == 0

    assert synths(checkout.root) == 2
    assert validation(checkout.root) == "true"


@pytest.mark.parametrize(
    "take",
    [
        lambda project, _: assembly_of(project, DEV, PINS["dev"]),
        lambda project, _: assembly_for_page(project, DEV),
        lambda project, _: assembly_with_image(project, DEV, PINS["dev"].digest),
        lambda project, _: validated_assemblies(project, [(DEV, PINS["dev"]), (PRD, PINS["prd"])]),
        lambda _, run: run("dev", "prd"),
    ],
    ids=["assembly_of", "page", "gate", "ship", "synth"],
)
def test_who_takes_an_assembly_keeps_it(
    checkout: Project, run: Run, take: Callable[[Project, Run], object]
) -> None:
    made, _ = validated_assemblies(checkout, [(DEV, PINS["dev"]), (PRD, PINS["prd"])])
    two_days_ago(made.folder)
    take(checkout, run)
    assert made.folder.stat().st_mtime > time.time() - 60 * 60
    assert synths(checkout.root) == 1


def test_ship_keeps_what_an_earlier_run_has_synthesized(checkout: Project) -> None:
    (made,) = validated_assemblies(checkout, [(DEV, PINS["dev"])])
    two_days_ago(made.folder)
    write_record(checkout.root, record_of(PINS["dev"]))
    options: Any = None
    lock_change: Any = None
    shipment = Shipment(
        project=checkout, stage=DEV, account="", options=options, lock_change=lock_change
    )

    assert SYNTH.done(shipment)

    assert shipment.assembly == made
    assert made.folder.stat().st_mtime > time.time() - 60 * 60


def change_a_file_during_the_synth(folder: Path) -> None:
    """Let the CLI wait for the lock file, as the app does, and change a file then."""
    cdk = folder / "node_modules/.bin/cdk"
    cdk.write_text(
        cdk.read_text().replace(
            "echo call >> calls;",
            'for a in "$@"; do case "$a" in *imageLock=*) cat "${a##*=}" > locked;; esac; done\n'
            "echo two > stacks/rooms_stack.py; echo call >> calls;",
        )
    )


def begun(project: Project) -> object:
    with closing(begin_synth(project, [DEV])) as pending:
        return validated_assemblies(project, [(DEV, PINS["dev"])], pending)


@pytest.mark.parametrize(
    "make",
    [
        lambda project, _: assembly_of(project, DEV, PINS["dev"]),
        lambda project, _: validated_assemblies(project, [(DEV, PINS["dev"])]),
        lambda project, _: begun(project),
    ],
    ids=["assembly_of", "ship", "ship, begun before"],
)
def test_an_assembly_of_files_that_changed_meanwhile_is_not_kept(
    checkout: Project, run: Run, make: Callable[[Project, Run], object]
) -> None:
    """Half of it may be of the files before, and its name would be wrong for good."""
    change_a_file_during_the_synth(checkout.root)
    with pytest.raises(FailedError, match="the project changed while it was synth") as error:
        make(checkout, run)
    assert error.value.hint == "run the command again"
    assert synths(checkout.root) == 1
    assert [*(checkout.root / "build/assemblies").glob("*")] == []
    make(checkout, run)


def test_synth_does_not_leave_what_changed_meanwhile(checkout: Project, run: Run) -> None:
    change_a_file_during_the_synth(checkout.root)
    status, _, err = run("dev")
    assert status == 2
    assert "the project changed while it was synthesized" in err
    assert not (checkout.root / "build/assembly").exists()


@pytest.mark.parametrize("library", ["aws-cdk-lib", "constructs", "jsii"])
def test_another_version_of_the_library_is_another_assembly(
    checkout: Project, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock file says what is to be installed, not what is."""
    assembly_of(checkout, DEV, PINS["dev"])
    installed = importlib.metadata.version
    monkeypatch.setattr(
        importlib.metadata,
        "version",
        lambda name: "0.0.1" if name == library else installed(name),
    )
    assembly_of(checkout, DEV, PINS["dev"])
    assert synths(checkout.root) == 2


def test_what_was_not_validated_does_not_pass_the_gate_and_stays(checkout: Project) -> None:
    before = assembly_of(checkout, DEV, PINS["dev"])
    (validated,) = validated_assemblies(checkout, [(DEV, PINS["dev"])])
    assert (before.is_validated, validated.is_validated) == (False, True)
    assert synths(checkout.root) == 2
    assert before.exists, "it may be in use"
    # From here on all take it.
    assert assembly_of(checkout, DEV, PINS["dev"]) == validated
    assert validated_assemblies(checkout, [(DEV, PINS["dev"])]) == (validated,)
    assert assembly_for_page(checkout, DEV) == validated
    assert synths(checkout.root) == 2


def test_synth_takes_what_ship_has_made_of_the_same_stages_and_pins(
    checkout: Project, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    validated_assemblies(checkout, [(DEV, PINS["dev"]), (PRD, PINS["prd"])])
    capsys.readouterr()

    status, out, err = run("dev", "prd")

    assert (status, err) == (0, "")
    assert out.splitlines()[1:3] == [f"  {name}  {PINS[name].digest}" for name in ("dev", "prd")]
    assert (checkout.root / "build/assembly/manifest.json").is_file()
    assert synths(checkout.root) == 1


@pytest.mark.parametrize("change", ["a pin", "a stage less", "a stage more", "a file"])
def test_synth_takes_nothing_that_is_not_the_same(checkout: Project, run: Run, change: str) -> None:
    validated_assemblies(checkout, [(DEV, PINS["dev"]), (PRD, PINS["prd"])])
    stages = ["dev", "prd"]
    match change:
        case "a pin":
            write_image_lock(checkout.lock, {**PINS, "prd": PINS["dev"]})
        case "a stage less":
            stages = ["dev"]
        case "a stage more":
            stages = ["dev", "prd", "local"]
        case _:
            (checkout.root / "stacks/rooms_stack.py").write_text("two")

    assert run(*stages)[0] == 0
    assert synths(checkout.root) == 2


def test_gates_are_asked_with_the_pin_that_the_image_will_get(checkout: Project) -> None:
    """So that `check`, `boot`, `deploy` and `page` share one synth, whoever runs them."""
    checkout.lock.write_text("{}")
    pin = PINS["dev"]
    record = record_of(pin)
    write_record(checkout.root, record)
    made = json.dumps(rooms_template()).replace(pin.pinned_at, "@now@")
    cdk = checkout.root / "node_modules/.bin/cdk"
    (checkout.root / "made/hima-five-bomber-dev-rooms.template.json").write_text(made)
    cdk.write_text(
        cdk.read_text() + f"{sys.executable} -c '\n"
        "import json, pathlib, sys\n"
        'lock = next(a for a in sys.argv if "imageLock=" in a).rpartition("=")[2]\n'
        'at = json.loads(pathlib.Path(lock).read_text())["dev"]["pinnedAt"]\n'
        'made = pathlib.Path(sys.argv[1], "hima-five-bomber-dev-rooms.template.json")\n'
        'made.write_text(made.read_text().replace("@now@", at))\n'
        '\' "$out" "$@"\n'
    )
    of_gates = assembly_with_image(checkout, DEV, pin.digest)

    planned = planned_pin(checkout, DEV, record)

    assert msgspec.structs.replace(planned, pinned_at=pin.pinned_at) == pin
    assert assembly_of(checkout, DEV, planned) == of_gates
    assert synths(checkout.root) == 1


@pytest.mark.parametrize("lock", ["[]", "nonsense"])
def test_a_wrong_lock_file_stops_no_gate(checkout: Project, lock: str) -> None:
    checkout.lock.write_text(lock)
    assert assembly_with_image(checkout, DEV, PINS["dev"].digest).folder.is_dir()
