"""ECR whose images are those of a real registry, and functions that are started from them."""

import base64
import json
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from imagecheck.check import check_image
from imagecheck.function import Function
from imagecheck.image.layer_cache import LayerCache
from imagecheck.image.reference import parse_reference
from local.docker_registry import running_registry
from local.emulated_aws.server import ACCOUNT_ID, CREDENTIALS, REGION, emulated_account
from tests.local.conftest import Client
from tests.support.imagecheck.cases import Silent
from tests.support.imagecheck.images import (
    File,
    Image,
    Layer,
    layer_of,
    write_attestation,
    write_image,
    write_index,
)
from tests.support.imagecheck.programs import HOST, OTHER
from tests.support.imagecheck.python_runtime import python_base
from tests.support.imagecheck.tools import run, tool
from tests.support.local.emulated_functions import (
    ROLE,
    Resources,
    RolledBackError,
    deploy,
    log_lines,
    status,
    wait_for_line,
)

REPOSITORY = "team/rooms"
URI = f"{ACCOUNT_ID}.dkr.ecr.{REGION}.amazonaws.com/{REPOSITORY}"
HANDLER = """
import os

def handler(event, context):
    print("asked in the image")
    return [event, os.environ.get("OF_IMAGE"), os.environ.get("OF_FUNCTION"), os.getuid()]
"""


@dataclass(frozen=True)
class Registry:
    host: str

    def push(self, image: Image, tag: str, repository: str = REPOSITORY) -> str:
        """Push as any client does, and return the URI by digest."""
        options = ["copy", "--quiet", "--all", "--insecure-policy", "--dest-tls-verify=false"]
        target = f"docker://{self.host}/{repository}:{tag}"
        run([tool("skopeo"), *options, f"oci:{image.folder}", target])
        return f"{URI}@{image.digest}"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with running_registry(tmp_path_factory.mktemp("registry")) as host:
        yield Registry(host)


@pytest.fixture
def aws(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """An account whose repository is the registry's; also for what finds AWS by variables."""
    session: Any = boto3.Session(
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
    )
    with ExitStack() as stack:
        account = stack.enter_context(emulated_account(registry=registry.host))
        for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": account.endpoint_url}.items():
            monkeypatch.setenv(name, value)

        def client(service: str) -> Any:
            return session.client(service, endpoint_url=account.endpoint_url)

        client("ecr").create_repository(repositoryName=REPOSITORY, imageTagMutability="IMMUTABLE")
        yield client


@pytest.fixture(scope="module")
def handler_layer() -> Layer:
    return layer_of(File("var/task/app.py", HANDLER))


def small(folder: Path, marker: str) -> Image:
    return write_image(folder, [layer_of(File("marker", marker))], entrypoint=["/marker"])


def image_function(uri: str, **properties: Any) -> Resources:
    return {
        "Role": ROLE,
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": "imaged",
                "PackageType": "Image",
                "Code": {"ImageUri": uri},
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "MemorySize": 256,
                "Timeout": 20,
                "LoggingConfig": {"LogFormat": "JSON", "LogGroup": "imaged"},
                **properties,
            },
        },
    }


@pytest.mark.parametrize("is_emptied", [True, False])
def test_the_repository_of_a_stack_goes_with_its_images_where_the_template_says_so(
    aws: Client, registry: Registry, tmp_path: Path, is_emptied: bool
) -> None:
    name = f"stack/{is_emptied}".lower()
    properties = {"RepositoryName": name, "EmptyOnDelete": is_emptied}
    resources: Resources = {"Images": {"Type": "AWS::ECR::Repository", "Properties": properties}}
    deploy(aws, resources, name="registry")
    registry.push(small(tmp_path, name), "v1", name)
    aws("cloudformation").delete_stack(StackName="registry")
    if is_emptied:
        deploy(aws, resources, name="registry")
        assert aws("ecr").list_images(repositoryName=name)["imageIds"] == []
    else:
        assert status(aws, name="registry") == "DELETE_FAILED"
        assert len(aws("ecr").list_images(repositoryName=name)["imageIds"]) == 1


@pytest.mark.proof
def test_what_is_pushed_is_described_listed_and_handed_out(
    aws: Client, registry: Registry, tmp_path: Path
) -> None:
    image = small(tmp_path, "described")
    registry.push(image, "v-described")
    ecr = aws("ecr")
    (detail,) = ecr.describe_images(
        repositoryName=REPOSITORY, imageIds=[{"imageTag": "v-described"}]
    )["imageDetails"]
    assert (detail["imageDigest"], detail["imageTags"]) == (image.digest, ["v-described"])
    listed = ecr.list_images(repositoryName=REPOSITORY)["imageIds"]
    assert {"imageDigest": image.digest, "imageTag": "v-described"} in listed
    (got,) = ecr.batch_get_image(
        repositoryName=REPOSITORY, imageIds=[{"imageDigest": image.digest}]
    )["images"]
    manifest = json.loads(got["imageManifest"])
    assert got["imageManifest"].encode() == image.blob(image.digest).read_bytes()
    layer = manifest["layers"][0]["digest"]
    url = ecr.get_download_url_for_layer(repositoryName=REPOSITORY, layerDigest=layer)
    with urllib.request.urlopen(url["downloadUrl"]) as blob:
        assert blob.read() == image.blob(layer).read_bytes()
    missing = "sha256:" + "0" * 64
    checked = ecr.batch_check_layer_availability(
        repositoryName=REPOSITORY, layerDigests=[layer, missing]
    )
    assert [found["layerDigest"] for found in checked["layers"]] == [layer]
    assert [failed["layerDigest"] for failed in checked["failures"]] == [missing]
    with pytest.raises(ClientError, match="LayersNotFoundException"):
        ecr.get_download_url_for_layer(repositoryName=REPOSITORY, layerDigest=missing)


def test_the_token_is_for_the_registry(aws: Client, registry: Registry) -> None:
    (data,) = aws("ecr").get_authorization_token()["authorizationData"]
    assert data["proxyEndpoint"] == f"http://{registry.host}"
    assert base64.b64decode(data["authorizationToken"]).startswith(b"AWS:")


@pytest.mark.proof
def test_a_tag_is_added_to_what_was_pushed_and_belongs_to_it_for_good(
    aws: Client, registry: Registry, tmp_path: Path
) -> None:
    image = small(tmp_path / "a", "tagged")
    registry.push(image, "v-tagged")
    manifest = image.blob(image.digest).read_text()
    ecr = aws("ecr")
    put = ecr.put_image(
        repositoryName=REPOSITORY, imageManifest=manifest, imageTag="deployed-dev-1"
    )["image"]
    assert put["imageId"] == {"imageDigest": image.digest, "imageTag": "deployed-dev-1"}
    where = f"http://{registry.host}/v2/{REPOSITORY}/manifests/deployed-dev-1"
    accept = {"Accept": "application/vnd.oci.image.manifest.v1+json"}
    with urllib.request.urlopen(urllib.request.Request(where, headers=accept)) as stored:
        assert stored.read() == manifest.encode()

    other = small(tmp_path / "b", "other")
    registry.push(other, "v-other")
    with pytest.raises(ClientError, match="ImageAlreadyExistsException"):
        ecr.put_image(
            repositoryName=REPOSITORY,
            imageManifest=other.blob(other.digest).read_text(),
            imageTag="deployed-dev-1",
        )
    never_pushed = small(tmp_path / "c", "never pushed")
    with pytest.raises(ClientError, match="LayersNotFoundException"):
        ecr.put_image(
            repositoryName=REPOSITORY,
            imageManifest=never_pushed.blob(never_pushed.digest).read_text(),
            imageTag="never",
        )


@pytest.mark.proof
def test_a_deleted_image_is_gone_from_ecr_and_the_registry(
    aws: Client, registry: Registry, tmp_path: Path
) -> None:
    image = small(tmp_path, "deleted")
    registry.push(image, "v-deleted")
    ecr, by_digest = aws("ecr"), [{"imageDigest": image.digest}]
    ecr.describe_images(repositoryName=REPOSITORY, imageIds=by_digest)
    deleted = ecr.batch_delete_image(repositoryName=REPOSITORY, imageIds=by_digest)
    assert deleted["imageIds"] == [{"imageDigest": image.digest, "imageTag": "v-deleted"}]
    with pytest.raises(ClientError, match="ImageNotFoundException"):
        ecr.describe_images(repositoryName=REPOSITORY, imageIds=by_digest)
    with pytest.raises(RolledBackError, match=r"does not exist\. Provide a valid source image"):
        deploy(aws, image_function(f"{URI}@{image.digest}"))


@pytest.mark.proof
@pytest.mark.usefixtures("aws")
def test_release_check_reads_it_as_it_would_read_ecr(registry: Registry, tmp_path: Path) -> None:
    image = small(tmp_path, "checked")
    report = check_image(
        parse_reference(f"docker://{registry.push(image, 'v-checked')}"),
        Function("x86_64"),
        cache=LayerCache(tmp_path / "cache"),
        progress=Silent(),
    )
    assert report.subject.image.digest == image.digest
    assert report.subject.image.files is not None


@pytest.mark.proof
@pytest.mark.parametrize("what", ["index", "attestation", "zstd"])
def test_lambda_refuses_other_media_types(
    aws: Client, registry: Registry, tmp_path: Path, what: str
) -> None:
    if what == "zstd":
        layer = layer_of(File("marker", "zstd"), compression="zstd")
        image = write_image(tmp_path, [layer], entrypoint=["/marker"])
    else:
        image = small(tmp_path, what)
        children = [image, write_attestation(image)] if what == "attestation" else [image]
        image = write_index(tmp_path, *children)
    uri = registry.push(image, f"v-{what}")
    with pytest.raises(RolledBackError, match="manifest, config or layer media type") as refusal:
        deploy(aws, image_function(uri))
    assert uri in str(refusal.value)


@pytest.mark.proof
def test_an_image_is_started_by_its_own_entrypoint(
    aws: Client, registry: Registry, handler_layer: Layer, tmp_path: Path
) -> None:
    image = write_image(
        tmp_path,
        [python_base(), handler_layer],
        architecture=HOST,
        entrypoint=["/lambda-entrypoint.sh"],
        cmd=["app.handler"],
        workdir="/var/task",
        env={"OF_IMAGE": "yes", "LAMBDA_TASK_ROOT": "/var/task"},
    )
    variables = {"Environment": {"Variables": {"OF_FUNCTION": "too"}}}
    uri = registry.push(image, "v-good")
    deploy(aws, image_function(uri, **variables))
    function = aws("lambda")
    for number in range(2):
        answer = function.invoke(FunctionName="imaged", Payload=json.dumps(number))
        assert json.loads(answer["Payload"].read()) == [number, "yes", "too", 993]
    wait_for_line(aws, "imaged", "asked in the image")
    assert function.get_function(FunctionName="imaged")["Code"]["ResolvedImageUri"] == uri

    override = {"ImageConfig": {"Command": ["nowhere.handler"]}}
    deploy(aws, image_function(uri, **override))
    answer = function.invoke(FunctionName="imaged")
    assert json.loads(answer["Payload"].read())["errorType"] == "Runtime.ImportModuleError"


@pytest.mark.proof
def test_an_image_that_cannot_start_has_lambdas_error(
    aws: Client, registry: Registry, tmp_path: Path
) -> None:
    entrypoint = File("lambda-entrypoint.sh", "no program", 0o755)
    image = write_image(
        tmp_path,
        [layer_of(entrypoint)],
        architecture=OTHER,
        entrypoint=["/lambda-entrypoint.sh"],
        cmd=["app.handler"],
        workdir="/",
    )
    deploy(aws, image_function(registry.push(image, "v-broken")))
    answer = aws("lambda").invoke(FunctionName="imaged")
    payload = json.loads(answer["Payload"].read())
    assert answer["FunctionError"] == "Unhandled"
    assert payload["errorType"] == "Runtime.InvalidEntrypoint"
    assert payload["errorMessage"].startswith("RequestId: ")
    assert payload["errorMessage"].endswith(
        "Error: fork/exec /lambda-entrypoint.sh: exec format error"
    )
    launch, init, *_ = log_lines(aws, "imaged")
    assert launch.startswith("IMAGE\tLaunch error: fork/exec /lambda-entrypoint.sh")
    assert "Entrypoint: [/lambda-entrypoint.sh]\tCmd: [app.handler]\tWorkingDir: [/" in launch
    assert init["type"] == "platform.initReport"
    assert init["record"]["errorType"] == "Runtime.InvalidEntrypoint"
