"""The names of a stage's stacks and resources."""

from dataclasses import dataclass
from typing import Final

GITHUB_STACK: Final = "hima-five-bomber-github"
"""The stack with GitHub's OIDC provider, for all stages of an account."""

GUARD_REGION: Final = "us-east-1"
"""The Region of every guard stack: that of web ACLs for CloudFront, and of their metrics.

https://docs.aws.amazon.com/waf/latest/developerguide/how-aws-waf-works-resources.html
"""


@dataclass(frozen=True)
class StageNames:
    """The names of a stage's stacks and resources; nothing else in the account has their prefix.

    ``other_table`` is the name of its table, where the settings name one.
    """

    stage: str
    other_table: str | None = None

    @property
    def prefix(self) -> str:
        """The prefix of every name."""
        return f"hima-five-bomber-{self.stage}"

    @property
    def registry_stack(self) -> str:
        """The stack that must exist before an image can be pushed."""
        return f"{self.prefix}-registry"

    @property
    def rooms_stack(self) -> str:
        """The stack of the rooms API."""
        return f"{self.prefix}-rooms"

    @property
    def web_stack(self) -> str:
        """The stack of the page, which also serves the API."""
        return f"{self.prefix}-web"

    @property
    def guard_stack(self) -> str:
        """The stack of what limits a client and watches the costs, in ``GUARD_REGION``."""
        return f"{self.prefix}-guard"

    @property
    def delivery_stack(self) -> str:
        """The stack of the roles that GitHub's jobs assume."""
        return f"{self.prefix}-delivery"

    @property
    def deploy_role(self) -> str:
        """The role of a job that deploys the stage."""
        return f"{self.prefix}-deploy"

    @property
    def diff_role(self) -> str:
        """The role of a job that shows what a pull request would change."""
        return f"{self.prefix}-diff"

    @property
    def repository(self) -> str:
        """The ECR repository of the function's images."""
        return f"{self.prefix}-rooms"

    @property
    def function(self) -> str:
        """The function that runs an image."""
        return f"{self.prefix}-rooms"

    @property
    def zip_function(self) -> str:
        """The function that runs a zip: a function cannot change from one to the other."""
        return f"{self.prefix}-rooms-zip"

    @property
    def table(self) -> str:
        """The table of the rooms."""
        return self.other_table or self.first_table

    @property
    def first_table(self) -> str:
        """The table that the stage has, unless its settings name another."""
        return f"{self.prefix}-rooms"

    @property
    def release_parameter(self) -> str:
        """The SSM parameter with the live release; its history has the earlier ones."""
        return f"/hima-five-bomber/{self.stage}/release"

    @property
    def api_domain_parameter(self) -> str:
        """The SSM parameter with the API's domain name, for the web stack."""
        return f"/hima-five-bomber/{self.stage}/api-domain"

    @property
    def distribution_key_parameter(self) -> str:
        """The SSM parameter with the ARN of the distribution's secret, for the web stack."""
        return f"/hima-five-bomber/{self.stage}/distribution-key"

    def deployed_tag(self, digest: str) -> str:
        """Return the tag of a deployed image; no lifecycle rule may match its prefix."""
        return f"deployed-{self.stage}-{digest.removeprefix('sha256:')[:12]}"
