"""A stage as it would be deployed with an image, synthesized by the real CDK CLI."""

from pathlib import Path

import pytest

from imagecheck.template import read_function
from release.assembly import cdk_command, synthesized
from release.errors import CannotDoError
from release.project import Project
from tests.cdk_context import CDK_JSON, ROOT

DIGEST = "sha256:" + "a" * 64


def test_the_template_names_the_image_and_the_lock_is_as_it_was() -> None:
    project = Project(ROOT, CDK_JSON["context"])
    lock = project.lock.read_bytes()

    with synthesized(project, project.stage("dev"), DIGEST) as template:
        function = read_function(template)

    assert function.declared
    assert function.declared.image_uri.endswith(f"@{DIGEST}")
    assert function.environment == {"ROOMS_TABLE": "hima-five-bomber-dev-rooms"}
    assert project.lock.read_bytes() == lock
    assert not template.exists()


def test_what_the_cdk_says_against_it_is_told() -> None:
    project = Project(ROOT, CDK_JSON["context"])
    with (
        pytest.raises(CannotDoError, match=r"`cdk synth` failed:\n(.*\n)*.*'latest' is a tag"),
        synthesized(project, project.stage("dev"), "latest"),
    ):
        pass


def test_without_the_cdk_cli_it_is_told_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(CannotDoError, match="is missing: run `make setup`"):
        cdk_command(Project(tmp_path, {}))
