"""The table of bases in the Dockerfile."""

from pathlib import Path

import pytest

from imagecheck.function import Architecture
from release.build.base_table import read_base_table, with_base
from tests.support.cdk_context import ROOT

DOCKERFILE = ROOT / "lambda_src/Dockerfile"


def test_ours_has_a_base_by_digest_for_every_cpu() -> None:
    table = read_base_table(DOCKERFILE)

    assert {*table} == {"arm64", "x86_64"}
    for cpu, base in table.items():
        assert f":3.13-{cpu}@sha256:" in base


@pytest.mark.parametrize("cpu", ["arm64", "x86_64"])
def test_a_stage_is_built_on_the_base_for_its_cpu(cpu: Architecture) -> None:
    assert with_base(DOCKERFILE, {"X": "1"}, cpu) == {
        "BASE": read_base_table(DOCKERFILE)[cpu],
        "X": "1",
    }


def test_a_base_that_is_named_is_taken() -> None:
    assert with_base(DOCKERFILE, {"BASE": "mine"}, "x86_64") == {"BASE": "mine"}


def test_a_dockerfile_without_a_table_is_built_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(
        "ARG BASE_ARM64\nARG BASE=one\nFROM $BASE\nARG BASE_X86_64=in-stage\n"
    )
    assert read_base_table(tmp_path / "Dockerfile") == {}
    assert with_base(tmp_path / "Dockerfile", {}, "arm64") == {}
