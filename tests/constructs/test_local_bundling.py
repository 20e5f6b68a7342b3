"""Files for upload, put together for real."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from aws_cdk import App, DockerImage, Stack
from aws_cdk import aws_lambda as lambda_
from constructs.local_bundling import CONTRACT, SOURCE, LocalBundling, bundled_code, package_code
from constructs.python_runtime import PYTHON


@pytest.fixture
def private_umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


def staged(folder: Path, code: lambda_.Code) -> Path:
    """Synthesize a function with this code, and return the folder that CDK would zip."""
    app = App(outdir=str(folder))
    lambda_.Function(Stack(app, "s"), "Function", code=code, handler="a.b", runtime=PYTHON)
    app.synth()
    (asset,) = folder.glob("asset.*")
    return asset


@pytest.mark.parametrize("package", [SOURCE / "rooms", SOURCE / "pre_traffic_hook", CONTRACT])
def test_a_package_is_its_python_files_and_nothing_else(tmp_path: Path, package: Path) -> None:
    asset = staged(tmp_path, package_code(package))
    files = {path.relative_to(asset): path for path in asset.rglob("*") if path.is_file()}
    assert files.keys() == {path.relative_to(package.parent) for path in package.rglob("*.py")}
    for name, path in files.items():
        assert path.read_bytes() == (package.parent / name).read_bytes()


@pytest.mark.usefixtures("private_umask")
def test_whoever_put_it_together_lambda_can_read_it(tmp_path: Path) -> None:
    asset = staged(tmp_path, package_code(SOURCE / "rooms"))
    for path in asset.rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644), path


def test_the_same_files_are_the_same_asset_and_others_another(tmp_path: Path) -> None:
    def nothing(folder: Path) -> None:
        folder.joinpath("x").touch()

    names = {
        parts: staged(tmp_path / str(number), bundled_code(LocalBundling(nothing), *parts)).name
        for number, parts in enumerate([(b"ab", b"c"), (b"a", b"bc"), (b"ab", b"c", b"")])
    }
    assert len(set(names.values())) == 3
    again = staged(tmp_path / "again", bundled_code(LocalBundling(nothing), b"ab", b"c"))
    assert again.name == names[b"ab", b"c"]


def test_an_existing_bundle_is_reused(tmp_path: Path) -> None:
    filled = []

    def fill(folder: Path) -> None:
        filled.append(folder)
        folder.joinpath("x").touch()

    for _ in range(2):
        staged(tmp_path, bundled_code(LocalBundling(fill), b"the same"))
    assert len(filled) == 1


def test_a_failure_is_kept_and_never_handed_on_to_docker(tmp_path: Path) -> None:
    def fail(_: Path) -> None:
        raise ValueError("no space left")

    bundling = LocalBundling(fail)
    with pytest.raises(ValueError, match="no space left"):
        bundling.try_bundle(str(tmp_path), image=DockerImage.from_registry("none"))
    assert str(bundling.failure) == "no space left"

    with pytest.raises(RuntimeError, match="no space left") as told:
        staged(tmp_path, bundled_code(bundling, b"x"))
    assert "docker" not in str(told.value).lower()
