"""The settings of a stage, read from the context in ``cdk.json``."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Architecture = Literal["arm64", "x86_64"]
LogRetention = Literal[
    "ONE_WEEK", "TWO_WEEKS", "ONE_MONTH", "THREE_MONTHS", "SIX_MONTHS", "ONE_YEAR"
]
Positive = Annotated[int, Meta(ge=1)]


class ConfigurationError(ValueError):
    """Something that a person wrote is wrong; the text says where, what, and what to do."""


class Domain(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A domain name for the page, such as ``play.example.com``, and the certificate that has it.

    CloudFront takes certificates from us-east-1 alone:
    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cnames-and-https-requirements.html
    """

    name: Annotated[str, Meta(pattern=r"^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$")]
    certificate_arn: Annotated[
        str, Meta(pattern=r"^arn:aws:acm:us-east-1:\d{12}:certificate/[0-9a-f-]+$")
    ]


class GithubRepository(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The repository on GitHub whose jobs deploy, its names written as GitHub writes them.

    The ids stay when something is renamed, and are nobody else's afterwards; ``gh api
    repos/OWNER/REPOSITORY --jq '.owner.id, .id'`` prints them.
    """

    owner: Annotated[str, Meta(pattern="^[A-Za-z0-9][A-Za-z0-9_-]*$")]
    owner_id: Annotated[str, Meta(pattern="^[1-9][0-9]*$")]
    repository: Annotated[str, Meta(pattern="^[A-Za-z0-9._-]+$")]
    repository_id: Annotated[str, Meta(pattern="^[1-9][0-9]*$")]

    def subjects(self, context: str) -> tuple[str, str]:
        """Return what a job's token can have as its subject.

        ``context`` is ``environment:NAME`` or ``pull_request``. Repositories made after 2026-07-15
        have their ids in it, older ones may:
        https://docs.github.com/en/actions/reference/security/oidc
        """
        return (
            f"repo:{self.owner}/{self.repository}:{context}",
            f"repo:{self.owner}@{self.owner_id}/{self.repository}@{self.repository_id}:{context}",
        )


class StageSettings(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """How one stage differs from another.

    ``retain_data`` keeps the table and the images when stacks are deleted. ``log_retention`` is a
    member of ``aws_logs.RetentionDays``. The function's timeout stays above the longest that an
    operation can take (``LONGEST_OPERATION_S`` of the rooms service) and below the 30 seconds after
    which the API stops waiting
    (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html).
    ``reserved_concurrency`` is left out where the account has none to give. The throttle counts the
    requests of all players together. Without a ``domain`` the page has the one that CloudFront
    gives it.
    """

    region: str = "ap-northeast-1"
    retain_data: bool
    log_retention: LogRetention
    architecture: Architecture
    memory_mb: Annotated[int, Meta(ge=128, le=10240)]
    timeout_seconds: Annotated[int, Meta(ge=12, le=29)]
    reserved_concurrency: Positive | None = None
    allowed_origins: Annotated[list[str], Meta(min_length=1)]
    requests_per_second: Positive
    requests_burst: Positive
    domain: Domain | None = None


def read_settings(stages: Mapping[str, Any], stage: str) -> StageSettings:
    """Return the settings of a stage.

    Args:
        stages: the value of ``stages`` in the context of ``cdk.json``.
        stage: which one.

    Raises:
        ConfigurationError: there is no such stage, or a setting is missing, unknown or wrong.

    """
    if stage not in stages:
        raise ConfigurationError(
            f"there is no stage {stage!r} in cdk.json; choose one of {', '.join(stages)}"
            " with -c stage=..."
        )
    try:
        return msgspec.convert(stages[stage], StageSettings)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"cdk.json, context.stages.{stage}: {error}") from error


def read_github(github: Any) -> GithubRepository | None:
    """Return the repository that deploys; None where nothing is deployed by GitHub.

    Args:
        github: the value of ``github`` in the context of ``cdk.json``; None where it has none.

    Raises:
        ConfigurationError: something in it is missing, unknown or wrong.

    """
    if github is None:
        return None
    try:
        return msgspec.convert(github, GithubRepository)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"cdk.json, context.github: {error}") from error
