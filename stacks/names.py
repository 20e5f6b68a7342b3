"""What the parts of a stage are called, for the app and for whoever looks for them."""

from dataclasses import dataclass
from typing import Final

GITHUB_STACK: Final = "hima-five-bomber-github"
"""The stack of what all stages of an account need to know GitHub by."""


@dataclass(frozen=True)
class StageNames:
    """The names of a stage's stacks and resources; no other thing of the account has its prefix."""

    stage: str

    @property
    def prefix(self) -> str:
        """What every name begins with."""
        return f"hima-five-bomber-{self.stage}"

    @property
    def registry_stack(self) -> str:
        """The stack that must exist before an image can be pushed."""
        return f"{self.prefix}-registry"

    @property
    def rooms_stack(self) -> str:
        """The stack that players talk to."""
        return f"{self.prefix}-rooms"

    @property
    def web_stack(self) -> str:
        """The stack that serves the page, and the API next to it."""
        return f"{self.prefix}-web"

    @property
    def delivery_stack(self) -> str:
        """The stack of the roles that GitHub's jobs take."""
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
        """The function that runs a zip: Lambda lets no function change from one to the other."""
        return f"{self.prefix}-rooms-zip"

    @property
    def table(self) -> str:
        """The table of the rooms."""
        return f"{self.prefix}-rooms"

    @property
    def release_parameter(self) -> str:
        """The SSM parameter that says what is live; its versions are what was live before."""
        return f"/hima-five-bomber/{self.stage}/release"

    @property
    def api_domain_parameter(self) -> str:
        """The SSM parameter that tells the web stack where the API is."""
        return f"/hima-five-bomber/{self.stage}/api-domain"

    def deployed_tag(self, digest: str) -> str:
        """Return the tag of an image that was deployed; no lifecycle rule may match its prefix."""
        return f"deployed-{self.stage}-{digest.removeprefix('sha256:')[:12]}"
