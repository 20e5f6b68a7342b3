"""The page as it is served, put together from ``frontend``."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as s3_deployment
from constructs import page_files
from constructs.page_files import PageFiles, PageFilesError

from tests.support.cdk_context import CDK_JSON, ROOT


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of ``frontend``, for a test to change."""
    folder = tmp_path / "frontend"
    shutil.copytree(ROOT / "frontend", folder)
    monkeypatch.setattr(page_files, "_ASSETS", folder / "assets")
    monkeypatch.setattr(page_files, "_INDEX", folder / "index.html")
    return folder


def put_together() -> dict[str, dict[str, bytes]]:
    """Synthesize an app with the page, and return its files by part and path."""
    files = PageFiles()
    found = {}
    for part in (files.assets(), files.index()):
        stack = Stack(App(context=CDK_JSON["context"]), "stack")
        s3_deployment.BucketDeployment(
            stack, "Part", sources=[part], destination_bucket=s3.Bucket(stack, "Bucket")
        )
        app: Any = stack.node.root
        folder = Path(app.synth().directory)
        (put,) = (a for a in folder.glob("asset.*") if (a / "index.html").exists() or _assets(a))
        name = "index" if (put / "index.html").exists() else "assets"
        found[name] = {
            path.relative_to(put).as_posix(): path.read_bytes()
            for path in put.rglob("*")
            if path.is_file()
        }
    return found


def _assets(folder: Path) -> bool:
    return (folder / "assets").is_dir()


def test_the_page_names_files_that_are_there(source: Path) -> None:  # noqa: ARG001
    files = put_together()
    assert list(files["index"]) == ["index.html"]
    html = files["index"]["index.html"].decode()
    named = re.findall(r'"(assets/[^"]+)"', html)
    assert named
    assert {*named} <= {*files["assets"]}


@pytest.mark.proof
def test_scripts_import_files_that_are_there(source: Path) -> None:  # noqa: ARG001
    assets = put_together()["assets"]
    for name, content in assets.items():
        if name.endswith(".js"):
            for imported in re.findall(r'from "(\.[^"]+)"', content.decode()):
                path = Path("/", name).parent.joinpath(imported).resolve()
                assert str(path)[1:] in assets, f"{name} imports {imported}"


@pytest.mark.proof
def test_only_what_is_served_is_uploaded(source: Path) -> None:  # noqa: ARG001
    assert {Path(name).suffix for name in put_together()["assets"]} <= {
        ".css",
        ".js",
        ".mjs",
        ".svg",
    }


def test_a_changed_file_is_another_folder_and_another_page(source: Path) -> None:
    before = put_together()
    style = source / "assets" / "page.css"
    style.write_text(style.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    after = put_together()
    assert not {*before["assets"]} & {*after["assets"]}
    assert before["index"] != after["index"]


@pytest.mark.proof
def test_the_same_files_are_the_same_folder_and_page(source: Path) -> None:  # noqa: ARG001
    assert put_together() == put_together()


@pytest.mark.proof
def test_a_changed_page_leaves_the_assets_where_they_are(source: Path) -> None:
    before = put_together()
    index = source / "index.html"
    index.write_text(index.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    after = put_together()
    assert before["assets"] == after["assets"]
    assert before["index"] != after["index"]


def test_a_library_that_is_not_installed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_files, "_ROOT", tmp_path)
    monkeypatch.setattr(page_files, "_QR_LIBRARY", tmp_path / "lean-qr.mjs")
    with pytest.raises(PageFilesError, match=r"lean-qr\.mjs is missing") as missing:
        PageFiles()
    assert missing.value.hint == "npm ci"
