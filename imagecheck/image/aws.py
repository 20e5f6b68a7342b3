"""AWS, asked with the credentials that boto3 finds; and what it answers, in one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from imagecheck.image.errors import CannotLookError

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


class AwsError(CannotLookError):
    """AWS does not answer, or says no."""


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
            "reading a private ECR needs boto3, which is not installed: pip install boto3 (it is"
            " the extra `ecr` of lambda-image-check), or name a copy, as docker-archive:FILE"
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
        refusal = refused(error.response["Error"]["Code"], error.operation_name)
        raise AwsError(f"{what}: {refusal}") from None
    except exceptions.BotoCoreError as error:
        raise AwsError(f"{what}: {unreachable(error)}") from None


def refused(code: str, operation: str) -> str:
    """Say what an error code of AWS's means, and what to do."""
    if code in _DENIED:
        return f"the AWS credentials may not do {operation}: allow it in their policy"
    if code in _EXPIRED:
        return "the AWS credentials have expired: get new ones, as with `aws sso login`"
    if code in _NOT_VALID:
        return (
            f"AWS does not know the credentials ({code}):"
            " see whether `aws sts get-caller-identity` works"
        )
    return f"AWS answers {code} to {operation}"


def unreachable(error: Exception) -> str:
    """Say why no answer came, without botocore's own words, and what to do."""
    from botocore import exceptions

    match error:
        case exceptions.NoCredentialsError() | exceptions.PartialCredentialsError():
            return "no AWS credentials are found: set AWS_PROFILE, or run `aws sso login`"
        case exceptions.ProfileNotFound():
            return "AWS_PROFILE names a profile that is not configured"
        case exceptions.ConnectionError() | exceptions.HTTPClientError():
            return (
                f"AWS cannot be reached ({type(error).__name__}):"
                " check the network, and that there is such a Region"
            )
    return (
        f"boto3 gives up ({type(error).__name__}): see whether `aws sts get-caller-identity` works"
    )
