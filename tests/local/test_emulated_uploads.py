"""The custom resources that CDK brings: files come into their bucket, and leave it again."""

import io
import zipfile
from typing import Any

import pytest

from tests.local.conftest import Client
from tests.support.local.emulated_functions import ROLE, Resources, RolledBackError, deploy

PAGE = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "page"}}


def upload(**changed: Any) -> Resources:
    properties = {
        "ServiceToken": "unused",
        "SourceBucketNames": ["assets"],
        "SourceObjectKeys": ["page.zip"],
        "DestinationBucketName": {"Ref": "Page"},
        "SystemMetadata": {"cache-control": "no-cache"},
        "Prune": False,
    }
    made = {"Type": "Custom::CDKBucketDeployment", "Properties": properties | changed}
    return {"Page": PAGE, "Upload": made}


@pytest.fixture
def s3(aws: Client) -> Any:
    """A client for an account whose bucket of assets has the page."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as files:
        for name in ("index.html", "assets/main.js", "assets/lean-qr.mjs", "assets/icon.svg"):
            files.writestr(name, name)
    client = aws("s3")
    client.create_bucket(
        Bucket="assets", CreateBucketConfiguration={"LocationConstraint": "ap-northeast-1"}
    )
    client.put_object(Bucket="assets", Key="page.zip", Body=packed.getvalue())
    return client


def keys(s3: Any) -> set[str]:
    return {each["Key"] for each in s3.list_objects_v2(Bucket="page").get("Contents", ())}


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("index.html", "text/html"),
        ("assets/main.js", "text/javascript"),
        ("assets/lean-qr.mjs", "text/javascript"),
        ("assets/icon.svg", "image/svg+xml"),
    ],
)
def test_a_file_has_its_type_and_what_is_said_of_caching(
    aws: Client, s3: Any, key: str, kind: str
) -> None:
    deploy(aws, upload())
    found = s3.get_object(Bucket="page", Key=key)
    assert (found["ContentType"], found["CacheControl"]) == (kind, "no-cache")
    assert found["Body"].read() == key.encode()


def test_files_go_below_the_prefix_beside_what_is_there(aws: Client, s3: Any) -> None:
    deploy(aws, {"Page": PAGE})
    s3.put_object(Bucket="page", Key="old", Body=b"")
    deploy(aws, upload(DestinationBucketKeyPrefix="below/"))
    assert {"old", "below/index.html", "below/assets/main.js"} <= keys(s3)
    assert "index.html" not in keys(s3)


@pytest.mark.parametrize(
    "changed",
    [
        {"Prune": True},
        {"Extract": False},
        {"RetainOnDelete": False},
        {"Exclude": ["*.js"]},
        {"SourceMarkers": [{"<<marker>>": "value"}]},
        {"SystemMetadata": {"content-language": "ja"}},
    ],
)
def test_what_the_upload_does_not_do_fails_the_deployment(
    aws: Client, s3: Any, changed: dict[str, Any]
) -> None:
    deploy(aws, {"Page": PAGE})
    with pytest.raises(RolledBackError):
        deploy(aws, upload(**changed))
    assert keys(s3) == set()


@pytest.mark.proof
def test_a_bucket_is_emptied_so_that_it_can_go(aws: Client, s3: Any) -> None:
    emptying = {
        "Type": "Custom::S3AutoDeleteObjects",
        "Properties": {"BucketName": {"Ref": "Page"}},
    }
    deploy(aws, {**upload(), "Emptying": emptying, "Role": ROLE})
    deploy(aws, {"Role": ROLE})
    assert {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]} == {"assets"}
