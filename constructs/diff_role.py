"""The role of a job that shows what a pull request would change."""

from collections.abc import Mapping, Sequence

from aws_cdk import aws_iam as iam
from constructs import Construct
from constructs.acknowledged import acknowledge_wildcards
from constructs.stack_arn import stack_arn


class DiffRole(Construct):
    """A role that can only read the templates of some stacks.

    That is enough for ``cdk diff --method=template``. The CDK CLI uses these credentials when it
    may not assume the account's lookup role, which can read everything.

    Args:
        name: the role's name.
        trusted: who may assume it.
        stacks: the names of the stacks.
        elsewhere: the names of more stacks, each with its Region.

    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        trusted: iam.IPrincipal,
        stacks: Sequence[str],
        elsewhere: Mapping[str, str],
    ) -> None:
        super().__init__(scope, construct_id)
        arns = [
            *(stack_arn(self, stack) for stack in stacks),
            *(stack_arn(self, stack, region=region) for stack, region in elsewhere.items()),
        ]
        acknowledge_wildcards(self, arns, "One stack each; its id is not known before deployment.")
        self.role = iam.Role(
            self,
            "Role",
            role_name=name,
            assumed_by=trusted,
            inline_policies={
                "templates": iam.PolicyDocument(
                    statements=[
                        iam.PolicyStatement(
                            sid="ReadTemplates",
                            actions=[
                                "cloudformation:DescribeStacks",
                                "cloudformation:GetTemplate",
                            ],
                            resources=arns,
                        )
                    ]
                )
            },
        )
