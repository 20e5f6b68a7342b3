"""The layer of the zip, installed for real."""

from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Template
from constructs import libraries_layer
from constructs.libraries_layer import LibrariesError, LibrariesLayer

from config.function_libraries import DependenciesError

ARCHITECTURES = [lambda_.Architecture.ARM_64, lambda_.Architecture.X86_64]
NOTHING_BUNDLED: dict[str, Any] = {"aws:cdk:bundling-stacks": []}


def layer(architecture: lambda_.Architecture) -> dict[str, Any]:
    stack = Stack(App(context=NOTHING_BUNDLED), "s")
    LibrariesLayer(stack, "Libraries", architecture=architecture)
    (found,) = Template.from_stack(stack).find_resources("AWS::Lambda::LayerVersion").values()
    properties: dict[str, Any] = found["Properties"]
    return properties


@pytest.mark.proof
@pytest.mark.parametrize(
    ("architecture", "machine"), [*zip(ARCHITECTURES, ["aarch64", "x86_64"], strict=True)]
)
def test_it_holds_the_libraries_for_the_functions_cpu_and_python_whatever_this_machine_is(
    tmp_path: Path, architecture: lambda_.Architecture, machine: str
) -> None:
    app = App(outdir=str(tmp_path))
    LibrariesLayer(Stack(app, "s"), "Libraries", architecture=architecture)
    app.synth()
    (asset,) = tmp_path.glob("asset.*")
    assert [path.name for path in asset.iterdir()] == ["python"]
    (core,) = asset.rglob("*.so")
    assert core.name == f"_core.cpython-313-{machine}-linux-gnu.so"
    assert core.stat().st_mode & 0o777 == 0o644


def test_it_has_a_description() -> None:
    properties = layer(lambda_.Architecture.ARM_64)
    assert properties["CompatibleRuntimes"] == ["python3.13"]
    assert properties["CompatibleArchitectures"] == ["arm64"]


def test_requirements_python_and_cpu_decide_which_layer_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def key(architecture: lambda_.Architecture = lambda_.Architecture.ARM_64) -> str:
        return str(layer(architecture)["Content"]["S3Key"])

    first = key()
    assert key() == first
    others = {key(lambda_.Architecture.X86_64)}
    with monkeypatch.context() as changed:
        changed.setattr(libraries_layer, "PYTHON_VERSION", "3.14")
        others.add(key())
    with monkeypatch.context() as changed:
        changed.setattr(libraries_layer, "REQUIREMENTS", tmp_path / "requirements.txt")
        tmp_path.joinpath("requirements.txt").write_text("msgspec==0.0.0\n")
        others.add(key())
    assert len(others - {first}) == 3


def test_an_error_of_pip_is_quoted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(_: Path, **__: str) -> None:
        raise DependenciesError("ERROR: No matching distribution found for msgspec==0.22.0")

    monkeypatch.setattr(libraries_layer, "install_dependencies", fail)
    stack = Stack(App(outdir=str(tmp_path)), "s")
    with pytest.raises(LibrariesError) as told:
        LibrariesLayer(stack, "Libraries", architecture=lambda_.Architecture.ARM_64)
    said = str(told.value)
    assert "No matching distribution found for msgspec==0.22.0" in said
    assert "(Python 3.13, arm64)" in said
    assert "nothing was deployed" in said


def test_a_failure_that_is_not_pips_is_not_taken_for_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(_: Path, **__: str) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(libraries_layer, "install_dependencies", fail)
    stack = Stack(App(outdir=str(tmp_path)), "s")
    with pytest.raises(RuntimeError, match="no space left on device"):
        LibrariesLayer(stack, "Libraries", architecture=lambda_.Architecture.ARM_64)
