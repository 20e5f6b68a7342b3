"""AWS, asked with the credentials that boto3 finds; and what it answers, in one sentence."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from imagecheck.image.errors import ImageReadError

CONNECT_TIMEOUT_SECONDS = 10
READ_TIMEOUT_SECONDS = 30

_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired")
_NOT_VALID = (
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
)

_WHO_AM_I = "check that `aws sts get-caller-identity` works"


class AwsError(ImageReadError):
    """AWS does not answer, or says no."""

    code = "AWS_FAILED"


def aws_client(
    service: str, region: str, *, read_timeout: float = READ_TIMEOUT_SECONDS, retry: bool = True
) -> Any:
    """Return a boto3 client. Raises AwsError when boto3 is not there or cannot be set up.

    ``read_timeout`` is in seconds; without ``retry`` each call is one request.
    """
    # It takes half a second, and who checks a folder does not need it.
    try:
        import boto3
        import botocore.session
        from botocore.config import Config
    except ModuleNotFoundError:
        raise AwsError(
            "reading a private ECR needs boto3, which is not installed",
            hint="install it with `pip install boto3` (it is the extra `ecr` of"
            " lambda-image-check), or name a copy of the image, as docker-archive:FILE",
        ) from None

    config = Config(
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=read_timeout,
        retries={"mode": "standard", "total_max_attempts": 3 if retry else 1},
    )
    with aws_errors(service):
        session = botocore.session.get_session()
        session.register_component("data_loader", _models())
        client: Any = boto3.Session(botocore_session=session).client(
            service,  # type: ignore[call-overload]
            region_name=region,
            config=config,
        )
        return client


@cache
def _models() -> Any:
    """Return what reads the services' descriptions, each once: a deployment makes many clients."""
    from botocore.loaders import create_loader

    return create_loader()


@contextmanager
def aws_errors(what: str) -> Iterator[None]:
    """Say in one sentence what is wrong; botocore's own words can have secrets in them.

    ``what`` is what was asked of whom: it begins the sentence. Catch ``ClientError`` inside, where
    an answer such as "there is none" means something.

    Raises:
        AwsError: in place of every error of botocore's.

    """
    from botocore import exceptions

    try:
        yield
    except exceptions.ClientError as error:
        # Here and below: botocore's own words may hold a secret.
        raise refusal(what, error.response["Error"]["Code"], error.operation_name) from None
    except exceptions.BotoCoreError as error:
        raise no_answer(what, error) from None


def refusal(what: str, code: str, operation: str) -> AwsError:
    """Return the error for an error code of AWS's. ``what`` begins its message."""
    if code in _DENIED:
        return AwsError(
            f"{what}: the AWS credentials may not do {operation}",
            hint="allow it in the policy of the credentials",
        )
    if code in _EXPIRED:
        return AwsError(
            f"{what}: the AWS credentials have expired",
            hint="get new ones, for example with `aws sso login`",
        )
    if code in _NOT_VALID:
        return AwsError(f"{what}: AWS does not know the credentials ({code})", hint=_WHO_AM_I)
    return AwsError(f"{what}: AWS answers {code} to {operation}")


def no_answer(what: str, error: Exception) -> AwsError:
    """Return the error for one of botocore's, without botocore's own words."""
    from botocore import exceptions

    name = type(error).__name__
    match error:
        case exceptions.NoCredentialsError() | exceptions.PartialCredentialsError():
            return AwsError(
                f"{what}: no AWS credentials are found",
                hint="set AWS_PROFILE, or run `aws sso login`",
            )
        case exceptions.ProfileNotFound():
            return AwsError(
                f"{what}: AWS_PROFILE names a profile that is not configured",
                hint="`aws configure list-profiles` prints those that are",
            )
        case exceptions.EndpointConnectionError() if endpoint := os.environ.get("AWS_ENDPOINT_URL"):
            return AwsError(
                f"{what}: nothing answers at AWS_ENDPOINT_URL ({endpoint})",
                hint="start what was there again (`make cloud`, and source its file anew), or"
                " unset the variable",
            )
        case exceptions.ConnectionError() | exceptions.HTTPClientError():
            return AwsError(
                f"{what}: AWS cannot be reached ({name})",
                hint="check the network, and that the Region exists",
            )
    return AwsError(f"{what}: boto3 failed ({name})", hint=_WHO_AM_I)
