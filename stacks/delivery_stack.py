"""The stack with the roles that GitHub's jobs assume to deploy a stage."""

from typing import Any, Final

from aws_cdk import CfnOutput, Stack
from constructs import Construct
from constructs.deploy_role import DeployRole
from constructs.diff_role import DiffRole
from constructs.github_trust import github_jobs

from config.names import GITHUB_STACK, GUARD_REGION, StageNames
from config.settings import GithubRepository, StageSettings

RELEASED_REFS: Final = ("refs/heads/main", "refs/tags/v*")
"""The refs that may be deployed: the main branch, and tags of releases."""

PULL_REQUEST_REFS: Final = ("refs/pull/*/merge",)
"""The merge refs of pull requests. ``pull_request_target`` has the ref of the target."""


class DeliveryStack(Stack):
    """A role that deploys the stage, and one that shows what a pull request would change.

    The first is for jobs in the GitHub environment with the stage's name; its protection rules
    decide who may run them. The second is for branches of the repository: a pull request from a
    fork gets no token, unless the repository's settings give forks write tokens.
    https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#pull_request

    Args:
        names: the names of the stage.
        settings: those of the stage.
        github: the repository whose jobs these are.

    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: StageNames,
        settings: StageSettings,
        github: GithubRepository,
        **stack: Any,
    ) -> None:
        super().__init__(scope, construct_id, **stack)
        deploy = DeployRole(
            self,
            "Deploy",
            name=names.deploy_role,
            trusted=github_jobs(
                self,
                repository_id=github.repository_id,
                subjects=github.subjects(f"environment:{names.stage}"),
                refs=RELEASED_REFS,
            ),
            rooms_stack=names.rooms_stack,
            web_stack=names.web_stack,
            repository=names.repository,
            functions=[names.function, names.zip_function],
            application=f"{names.prefix}-rooms",
            log_groups=[
                f"/aws/lambda/{names.function}",
                f"/aws/lambda/{names.zip_function}",
                f"/aws/lambda/{names.prefix}-pre-traffic-hook",
                f"/aws/vendedlogs/apis/{names.prefix}-rooms",
            ],
            release_parameter=names.release_parameter,
            table=names.table,
            other_regions=[GUARD_REGION] if settings.has_guard else [],
        )
        diff = DiffRole(
            self,
            "Diff",
            name=names.diff_role,
            trusted=github_jobs(
                self,
                repository_id=github.repository_id,
                subjects=github.subjects("pull_request"),
                refs=PULL_REQUEST_REFS,
            ),
            stacks=[
                names.registry_stack,
                names.rooms_stack,
                names.web_stack,
                names.delivery_stack,
                # `cdk diff` also reads the stacks that a stack depends on.
                GITHUB_STACK,
            ],
            elsewhere={names.guard_stack: GUARD_REGION} if settings.has_guard else {},
        )
        CfnOutput(self, "DeployRoleArn", value=deploy.role.role_arn)
        CfnOutput(self, "DiffRoleArn", value=diff.role.role_arn)
