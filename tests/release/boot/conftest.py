"""Boots images as the function of the stage ``local``, whose template a test changes."""

import dataclasses
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest

import release.boot.boot
from config.project import Project, Stage
from imagecheck.function import Architecture
from imagecheck.image.layer_cache import LayerCache
from imagecheck.image.reference import parse_reference
from imagecheck.progress import ProgressBar
from lambda_runtime.image_sandbox import unpack
from lambda_runtime.variables import CREDENTIALS
from release.boot.answer import Boot
from release.boot.boot import boot_image
from release.cloud_assembly import CloudAssembly
from tests.support.cdk_context import CDK_JSON, ROOT
from tests.support.imagecheck.images import Image
from tests.support.imagecheck.programs import HOST

TEMPLATE = ROOT / "tests/stacks/__snapshots__/test_snapshots/test_template[rooms-local].json"
CPUS: dict[str, Architecture] = {"amd64": "x86_64", "arm64": "arm64"}


@dataclasses.dataclass
class Deployed:
    """What the stage's template says; a test changes it."""

    template: dict[str, Any]

    @property
    def function(self) -> dict[str, Any]:
        functions = self._of("AWS::Lambda::Function")
        (properties,) = [each for each in functions if each.get("PackageType") == "Image"]
        return properties

    @property
    def table(self) -> dict[str, Any]:
        (properties,) = self._of("AWS::DynamoDB::Table")
        return properties

    def _of(self, kind: str) -> list[dict[str, Any]]:
        resources = self.template["Resources"].values()
        return [r["Properties"] for r in resources if r["Type"] == kind and "Runtime" not in r]


BootIt = Callable[..., Boot]


@pytest.fixture
def deployed(
    tmp_path: Path, dynamodb_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Deployed]:
    """The stage as its snapshot has it, for this machine's CPU; and a DynamoDB that is there."""
    found = Deployed(json.loads(TEMPLATE.read_bytes()))
    found.function.update(Architectures=[CPUS[HOST]], MemorySize=256)

    def assembly_with_image(_project: Project, stage: Stage, digest: str) -> CloudAssembly:
        assert digest.startswith("sha256:")
        assembly = CloudAssembly(tmp_path)
        assembly.template(stage).write_text(json.dumps(found.template))
        return assembly

    @contextmanager
    def dynamodb_local() -> Iterator[str]:
        try:
            yield dynamodb_endpoint
        finally:
            for name in client.list_tables()["TableNames"]:
                if name == found.table["TableName"]:
                    client.delete_table(TableName=name)

    keys: dict[str, Any] = {name.lower(): value for name, value in CREDENTIALS.items()}
    session: Any = boto3.Session(region_name="ap-northeast-1", **keys)
    client = session.client("dynamodb", endpoint_url=dynamodb_endpoint)
    monkeypatch.setattr("release.boot.boot.assembly_with_image", assembly_with_image)
    monkeypatch.setattr("release.boot.throw_away_tables.dynamodb_local", dynamodb_local)
    yield found


@pytest.fixture(scope="module")
def unpacked() -> dict[tuple[str, ...], Path]:
    """The files of images by their layers: nothing writes to them, so they can be shared."""
    return {}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> LayerCache:
    return LayerCache(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def boot(
    deployed: Deployed,
    cache: LayerCache,
    unpacked: dict[tuple[str, ...], Path],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> BootIt:
    def unpack_once(layout: Path, _rootfs: Path, *, digest: str) -> Path:
        manifest = json.loads((layout / "blobs" / digest.replace(":", "/")).read_bytes())
        layers = tuple(layer["digest"] for layer in manifest["layers"])
        if layers not in unpacked:
            rootfs = tmp_path_factory.mktemp("unpacked") / "rootfs"
            unpacked[layers] = unpack(layout, rootfs, digest=digest)
        return unpacked[layers]

    assert release.boot.boot.INIT_TIMEOUT_SECONDS == 10
    # No test depends on how fast this machine is.
    monkeypatch.setattr(release.boot.boot, "INIT_TIMEOUT_SECONDS", 60)
    monkeypatch.setattr(release.boot.boot, "unpack", unpack_once)

    def boot_it(image: Image | str, **options: Any) -> Boot:
        reference = parse_reference(image if isinstance(image, str) else image.reference)
        architecture = deployed.function["Architectures"][0]
        context = json.loads(json.dumps(CDK_JSON["context"]))
        context["stages"]["local"]["architecture"] = architecture
        project = Project(ROOT, context)
        with ProgressBar() as progress:
            return boot_image(
                project,
                project.stage("local"),
                reference,
                cache=cache,
                progress=progress,
                **options,
            )

    return boot_it
