"""The objects of a bucket, as an origin answers with them."""

from typing import Any, Final

from local.edge import Answer

_HEADERS: Final = {
    "CacheControl": "cache-control",
    "ContentType": "content-type",
    "ETag": "etag",
}


def read_object(s3: Any, bucket: str, key: str) -> Answer | None:
    """Read an object with a boto3 ``s3`` client; None where there is none."""
    try:
        found = s3.get_object(Bucket=bucket, Key=key)
    except s3.exceptions.NoSuchKey:
        return None
    headers = {ours: found[name] for name, ours in _HEADERS.items() if name in found}
    return Answer(200, headers, found["Body"].read())
