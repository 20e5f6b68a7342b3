"""Large files of a cloud assembly are in the bucket before the CDK CLI would upload them."""

import json
from pathlib import Path

from local.assets import put_large_files
from tests.local.conftest import Client

BUCKET = "cdk-assets-123456789012-ap-northeast-1"


def test_only_large_files_are_put_where_the_manifest_says(tmp_path: Path, aws: Client) -> None:
    large = bytes(1024 * 1024)
    (tmp_path / "large.zip").write_bytes(large)
    (tmp_path / "small.zip").write_bytes(b"small")
    (tmp_path / "folder").mkdir()
    sources = {
        "large": {"path": "large.zip", "packaging": "file"},
        "small": {"path": "small.zip", "packaging": "file"},
        "folder": {"path": "folder", "packaging": "zip"},
    }
    files = {
        name: {
            "source": source,
            "destinations": {
                "here": {
                    "bucketName": "cdk-assets-${AWS::AccountId}-${AWS::Region}",
                    "objectKey": f"{name}.zip",
                }
            },
        }
        for name, source in sources.items()
    }
    (tmp_path / "web.assets.json").write_text(json.dumps({"version": "36", "files": files}))
    s3 = aws("s3")
    where = {"LocationConstraint": s3.meta.region_name}
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    put_large_files(s3, tmp_path)
    (only,) = s3.list_objects_v2(Bucket=BUCKET)["Contents"]
    assert only["Key"] == "large.zip"
    assert s3.get_object(Bucket=BUCKET, Key="large.zip")["Body"].read() == large
