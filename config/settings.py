"""The settings of a stage, read from the context in ``cdk.json``."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from imagecheck.errors import UsageError
from imagecheck.function import Architecture

LogRetention = Literal[
    "ONE_WEEK", "TWO_WEEKS", "ONE_MONTH", "THREE_MONTHS", "SIX_MONTHS", "ONE_YEAR"
]
Positive = Annotated[int, Meta(ge=1)]

TABLE_PATTERN: Final = r"^[A-Za-z0-9_.-]{3,255}$"
"""https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html"""

REGION_PATTERN: Final = r"^[a-z]{2,}(-[a-z]+)+-[0-9]+$"
"""What names of Regions look like; which there are, AWS decides."""


class ConfigurationError(UsageError):
    """``cdk.json``, the lock file or the context of the CDK CLI holds something invalid."""

    code = "INVALID_CONFIGURATION"


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
    """The GitHub repository whose jobs deploy, with the exact case of its names.

    The ids survive renames and are never reused; ``gh api repos/OWNER/REPOSITORY --jq '.owner.id,
    .id'`` prints them.
    """

    owner: Annotated[str, Meta(pattern="^[A-Za-z0-9][A-Za-z0-9_-]*$")]
    owner_id: Annotated[str, Meta(pattern="^[1-9][0-9]*$")]
    repository: Annotated[str, Meta(pattern="^[A-Za-z0-9._-]+$")]
    repository_id: Annotated[str, Meta(pattern="^[1-9][0-9]*$")]

    def subjects(self, context: str) -> tuple[str, str]:
        """Return the possible subjects of a job's token.

        ``context`` is ``environment:NAME`` or ``pull_request``. The subject has the ids for
        repositories made after 2026-07-15, and may have them for older ones:
        https://docs.github.com/en/actions/reference/security/oidc
        """
        return (
            f"repo:{self.owner}/{self.repository}:{context}",
            f"repo:{self.owner}@{self.owner_id}/{self.repository}@{self.repository_id}:{context}",
        )


class StageSettings(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The settings of one stage.

    Without a ``region``, the stage is where the environment says (``config.region``).
    ``retain_data`` keeps the table, the images and the logs when stacks are deleted. ``table``
    names the table where it is another one than the stage's name says, as one that was restored
    from a backup (docs/restore.md). ``log_retention`` is a member of ``aws_logs.RetentionDays``.
    The function's timeout must be above the longest time of a request (``LONGEST_REQUEST_S`` of the
    rooms function) and below the API's own of 30 s
    (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html).
    ``reserved_concurrency`` is left out where the account has none to reserve. The throttle counts
    the requests of all players together, on each route by itself. ``requests_per_client`` is what
    one address may send to the page and its API within a minute, files included; AWS WAF counts
    from 10 on. ``monthly_budget_usd`` is for the whole account, in US dollars. Without one of these
    two, there is no such limit. Without a ``domain`` the page has CloudFront's.
    ``only_through_page`` refuses requests to the API's own address. One more for
    ``distribution_key`` is another secret between the page's distribution and the API.
    """

    region: Annotated[str, Meta(pattern=REGION_PATTERN)] | None = None
    retain_data: bool
    table: Annotated[str, Meta(pattern=TABLE_PATTERN)] | None = None
    log_retention: LogRetention
    architecture: Architecture
    memory_mb: Annotated[int, Meta(ge=128, le=10240)]
    timeout_seconds: Annotated[int, Meta(ge=18, le=29)]
    reserved_concurrency: Positive | None = None
    allowed_origins: Annotated[list[str], Meta(min_length=1)]
    requests_per_second: Positive
    requests_burst: Positive
    requests_per_client: Annotated[int, Meta(ge=10)] | None = None
    monthly_budget_usd: Positive | None = None
    domain: Domain | None = None
    only_through_page: bool = False
    distribution_key: Positive = 1

    def __post_init__(self) -> None:
        """Raise ValueError where one client could take all that a route gives to everybody."""
        of_all = 60 * self.requests_per_second
        if self.requests_per_client is not None and self.requests_per_client >= of_all:
            raise ValueError(
                f"requestsPerClient is {self.requests_per_client} a minute, and all clients"
                f" together have {of_all} (60 times requestsPerSecond): it must be less"
            )

    @property
    def has_guard(self) -> bool:
        """Whether the stage has a guard stack."""
        return self.requests_per_client is not None or self.monthly_budget_usd is not None


def read_settings(stages: Mapping[str, Any], stage: str) -> StageSettings:
    """Return the settings of a stage.

    Args:
        stages: the value of ``stages`` in the context of ``cdk.json``.
        stage: the name of the stage.

    Raises:
        ConfigurationError: there is no such stage, or a setting is missing, unknown or wrong.

    """
    if stage not in stages:
        near = get_close_matches(stage, stages, n=1)
        raise ConfigurationError(
            f"there is no stage {stage!r} in cdk.json",
            hint=(f"did you mean {near[0]!r}? " if near else "") + f"stages: {', '.join(stages)}",
        )
    try:
        return msgspec.convert(stages[stage], StageSettings)
    except msgspec.ValidationError as error:
        raise ConfigurationError(
            f"cdk.json, context.stages.{stage}: {error}", hint=_near_setting(str(error))
        ) from error


def _near_setting(problem: str) -> str | None:
    """Return a hint for a setting that is misspelt or had another name before."""
    unknown = re.search(r"unknown field `(\w+)` - at `\$`|unknown field `(\w+)`$", problem)
    if unknown is None:
        return None
    known = [field.encode_name for field in msgspec.structs.fields(StageSettings)]
    near = get_close_matches(unknown[1] or unknown[2], known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"settings: {', '.join(known)}"


def read_github(github: Any) -> GithubRepository | None:
    """Return the repository whose jobs deploy; None where GitHub does not deploy.

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
