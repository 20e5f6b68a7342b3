"""Refusals of AWS, told in one sentence."""

import traceback

import pytest
from botocore import exceptions

from imagecheck.errors import FailedError
from imagecheck.image.aws import aws_client, aws_errors
from tests.support.errors import shows

SECRET = "AKIAEXAMPLE"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("AccessDenied", "may not do GetFunction\nhint: allow it in the policy"),
        ("ExpiredToken", r"have expired\nhint: .*`aws sso login`"),
        ("UnrecognizedClientException", r"does not know the credentials .*get-caller-identity"),
        ("ThrottlingException", "AWS answers ThrottlingException to GetFunction"),
    ],
)
def test_a_refusal_says_what_to_do_and_is_not_quoted(error: str, told: str) -> None:
    answer = {"Error": {"Code": error, "Message": f"User {SECRET} must not"}}
    with pytest.raises(FailedError, check=shows(f"^the function: .*{told}")) as caught:  # noqa: SIM117
        with aws_errors("the function"):
            raise exceptions.ClientError(answer, "GetFunction")  # type: ignore[arg-type]
    assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (exceptions.NoCredentialsError(), "no AWS credentials are found\nhint: set AWS_PROFILE"),
        (exceptions.ProfileNotFound(profile=SECRET), "AWS_PROFILE names a profile"),
        (exceptions.EndpointConnectionError(endpoint_url=SECRET), "cannot be reached"),
        (exceptions.ReadTimeoutError(endpoint_url=SECRET), "cannot be reached"),
        (exceptions.ChecksumError(checksum_type="", expected_checksum="", actual_checksum=SECRET),
         r"boto3 failed \(ChecksumError\)"),
    ],
)  # fmt: skip
def test_no_answer_says_why_and_what_to_do(error: Exception, told: str) -> None:
    with pytest.raises(FailedError, check=shows(told)) as caught, aws_errors("the function"):
        raise error
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_a_profile_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(FailedError, match="AWS_PROFILE names a profile that is not configured"):
        aws_client("lambda", "ap-northeast-1")
