"""Puts large files of a cloud assembly where the CDK CLI would upload them.

The CLI writes every request that it makes into a debug message, with the body as a list of numbers,
even where nobody sees it. For CDK's layer with the AWS CLI (25 MB) that takes longer than all its
other work. It does not upload what is there already.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from local.emulated_aws.account import ACCOUNT_ID, REGION

_LARGE_BYTES: Final = 1024 * 1024


class _LargeFile(NamedTuple):
    path: Path
    bucket: str
    key: str


def put_large_files(s3: Any, assembly: Path) -> None:
    """Put the large files of an assembly into the buckets of its manifests, with a boto3 client."""
    for file in _large_files(assembly):
        with file.path.open("rb") as body:
            s3.put_object(Bucket=file.bucket, Key=file.key, Body=body)


def _large_files(assembly: Path) -> Iterator[_LargeFile]:
    """Yield the assets that are uploaded as they are.

    https://docs.aws.amazon.com/cdk/api/v2/docs/@aws-cdk_cloud-assembly-schema.FileAsset.html
    """
    for manifest in sorted(assembly.glob("*.assets.json")):
        for asset in json.loads(manifest.read_text(encoding="utf-8"))["files"].values():
            source = asset["source"]
            if source["packaging"] != "file":
                continue
            path = assembly / source["path"]
            if path.stat().st_size < _LARGE_BYTES:
                continue
            for destination in asset["destinations"].values():
                bucket, key = (_filled(destination[n]) for n in ("bucketName", "objectKey"))
                yield _LargeFile(path, bucket, key)


def _filled(text: str) -> str:
    known = {"AWS::AccountId": ACCOUNT_ID, "AWS::Partition": "aws", "AWS::Region": REGION}
    for name, value in known.items():
        text = text.replace(f"${{{name}}}", value)
    return text
