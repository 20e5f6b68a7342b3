"""AWS, asked with the credentials that boto3 finds; what goes wrong is CannotDoError here."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from imagecheck.image import aws
from imagecheck.image.aws import READ_TIMEOUT_SECONDS
from release.errors import CannotDoError


def aws_client(
    service: str, region: str, *, read_timeout: float = READ_TIMEOUT_SECONDS, retry: bool = True
) -> Any:
    """Return a boto3 client. Raises CannotDoError when boto3 cannot be set up.

    ``read_timeout`` is in seconds; without ``retry`` each call is one request.
    """
    with _as_cannot_do():
        return aws.aws_client(service, region, read_timeout=read_timeout, retry=retry)


@contextmanager
def aws_errors(what: str) -> Iterator[None]:
    """Say in one sentence what is wrong, as ``imagecheck.image.aws`` does.

    Raises:
        CannotDoError: in place of every error of botocore's.

    """
    with _as_cannot_do(), aws.aws_errors(what):
        yield


@contextmanager
def _as_cannot_do() -> Iterator[None]:
    try:
        yield
    except aws.AwsError as error:
        raise CannotDoError(str(error)) from None
