"""Reads objects of a bucket as responses of an origin."""

from http import HTTPStatus
from typing import Any, Final

from botocore.exceptions import ClientError

from local.edge import OriginResponse

_HEADERS: Final = {
    "CacheControl": "cache-control",
    "ContentType": "content-type",
    "ETag": "etag",
}


def read_object(s3: Any, bucket: str, key: str) -> OriginResponse | None:
    """Read an object with a boto3 ``s3`` client; None where there is none."""
    try:
        found = s3.get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        # Not by its code: the answer is XML, which cannot repeat a key of control characters.
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == HTTPStatus.NOT_FOUND:
            return None
        raise
    headers = {header: found[name] for name, header in _HEADERS.items() if name in found}
    return OriginResponse(200, headers, found["Body"].read())
