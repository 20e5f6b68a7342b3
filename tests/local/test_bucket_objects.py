"""The page's bucket as an origin."""

import pytest

from local.bucket_objects import read_object
from tests.local.conftest import Client


def test_an_object_is_read_with_its_headers(aws: Client) -> None:
    s3 = aws("s3")
    s3.create_bucket(
        Bucket="page", CreateBucketConfiguration={"LocationConstraint": "ap-northeast-1"}
    )
    s3.put_object(Bucket="page", Key="a.css", Body=b"x", ContentType="text/css")
    found = read_object(s3, "page", "a.css")
    assert found is not None
    assert (found.status, found.headers["content-type"], found.body) == (200, "text/css", b"x")


@pytest.mark.parametrize(
    "key", ["no.css", "a b", "山", "a\\b", "a\x01b", "a\x1b", "a\x00b", "a" * 900]
)
def test_no_key_whatever_is_more_than_missing(aws: Client, key: str) -> None:
    s3 = aws("s3")
    s3.create_bucket(
        Bucket="page", CreateBucketConfiguration={"LocationConstraint": "ap-northeast-1"}
    )
    assert read_object(s3, "page", key) is None
