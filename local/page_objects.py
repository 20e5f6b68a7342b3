"""The objects of a bucket, as an origin answers with them."""

from typing import Any, Final

from local.edge import Answer

_HEADERS: Final = {
    "CacheControl": "cache-control",
    "ContentType": "content-type",
    "ETag": "etag",
}


class ObjectReader:
    """Reads objects with a boto3 ``s3`` client."""

    def __init__(self, s3: Any) -> None:
        self._s3 = s3

    def __call__(self, bucket: str, key: str) -> Answer | None:
        """Return an object; None where there is none."""
        try:
            found = self._s3.get_object(Bucket=bucket, Key=key)
        except self._s3.exceptions.NoSuchKey:
            return None
        headers = {ours: found[name] for name, ours in _HEADERS.items() if name in found}
        return Answer(200, headers, found["Body"].read())
