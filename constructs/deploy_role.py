"""The role of a job that deploys a stage."""

from collections.abc import Sequence
from typing import Final

from aws_cdk import ArnFormat, DefaultStackSynthesizer, Fn, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct
from constructs.acknowledged import acknowledge_wildcards
from constructs.stack_arn import stack_arn

_ALIAS: Final = "live"


class DeployRole(Construct):
    """A role with the permissions of the release commands for one stage.

    ``cdk deploy`` works with the roles of ``cdk bootstrap``, which this role may assume. Those are
    for the whole account and not for one stage, so full isolation of a stage needs an account of
    its own.
    https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html#bootstrapping-env-roles

    Args:
        name: the role's name.
        trusted: who may assume it.
        rooms_stack: the name of the stack that is deployed.
        web_stack: the name of the stack with the URL of the page.
        repository: the name of the ECR repository that images are pushed to.
        functions: the names of the image function and the zip function.
        application: the CodeDeploy application that moves their alias.
        log_groups: the names of the log groups that may be searched.
        release_parameter: the name of the SSM parameter with the live release.
        table: the name of the table.
        other_regions: where else stacks of the stage are deployed.

    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        trusted: iam.IPrincipal,
        rooms_stack: str,
        web_stack: str,
        repository: str,
        functions: Sequence[str],
        application: str,
        log_groups: Sequence[str],
        release_parameter: str,
        table: str,
        other_regions: Sequence[str],
    ) -> None:
        super().__init__(scope, construct_id)
        self.role = iam.Role(
            self,
            "Role",
            role_name=name,
            assumed_by=trusted,
            inline_policies={
                "release": iam.PolicyDocument(
                    statements=[
                        self._cdk(other_regions),
                        *self._stacks(rooms_stack, web_stack),
                        self._images(repository),
                        *self._functions(functions),
                        self._deployments(application),
                        self._logs(log_groups),
                        self._kept_versions(functions),
                        self._release(release_parameter),
                        self._table(table),
                        self._alarms(),
                        self._actions_without_resources(),
                    ]
                )
            },
        )

    def _cdk(self, other_regions: Sequence[str]) -> iam.PolicyStatement:
        # Without the image publishing role: the stacks have no image that CDK builds.
        defaults = DefaultStackSynthesizer
        qualifier = Stack.of(self).synthesizer.bootstrap_qualifier or defaults.DEFAULT_QUALIFIER
        return iam.PolicyStatement(
            sid="AssumeCdkRoles",
            actions=["sts:AssumeRole"],
            resources=[
                Fn.sub(arn.replace("${Qualifier}", qualifier).replace("${AWS::Region}", region))
                for region in ("${AWS::Region}", *other_regions)
                for arn in (
                    defaults.DEFAULT_DEPLOY_ROLE_ARN,
                    defaults.DEFAULT_FILE_ASSET_PUBLISHING_ROLE_ARN,
                    defaults.DEFAULT_LOOKUP_ROLE_ARN,
                )
            ],
        )

    def _stacks(self, rooms: str, web: str) -> list[iam.PolicyStatement]:
        arns = [stack_arn(self, rooms), stack_arn(self, web)]
        acknowledge_wildcards(self, arns, "One stack each; its id is not known before deployment.")
        return [
            iam.PolicyStatement(
                sid="DescribeStacks", actions=["cloudformation:DescribeStacks"], resources=arns
            ),
            iam.PolicyStatement(
                sid="WatchAndCancelRoomsStack",
                actions=["cloudformation:CancelUpdateStack", "cloudformation:DescribeStackEvents"],
                resources=arns[:1],
            ),
        ]

    def _images(self, repository: str) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            sid="PushImages",
            actions=[
                "ecr:BatchCheckLayerAvailability",
                "ecr:BatchGetImage",
                "ecr:CompleteLayerUpload",
                "ecr:DescribeImages",
                "ecr:DescribeRepositories",
                "ecr:GetDownloadUrlForLayer",
                "ecr:GetLifecyclePolicy",
                "ecr:GetRepositoryPolicy",
                "ecr:InitiateLayerUpload",
                "ecr:PutImage",
                "ecr:UploadLayerPart",
            ],
            resources=[self._arn("ecr", "repository", repository)],
        )

    def _functions(self, names: Sequence[str]) -> list[iam.PolicyStatement]:
        arns = [
            self._arn("lambda", "function", name, ArnFormat.COLON_RESOURCE_NAME) for name in names
        ]
        versions = [f"{arn}:*" for arn in arns]
        acknowledge_wildcards(
            self, versions, "The numbers of versions are not known before deployment."
        )
        return [
            iam.PolicyStatement(
                sid="ReadFunctions",
                actions=[
                    "lambda:GetAlias",
                    "lambda:GetFunction",
                    "lambda:GetFunctionConcurrency",
                    "lambda:GetPolicy",
                    "lambda:ListVersionsByFunction",
                ],
                resources=[*arns, *versions],
            ),
            iam.PolicyStatement(
                sid="InvokeLiveAlias",
                actions=["lambda:InvokeFunction"],
                resources=[f"{arn}:{_ALIAS}" for arn in arns],
            ),
        ]

    def _deployments(self, application: str) -> iam.PolicyStatement:
        group = f"{application}/{_ALIAS}"
        return iam.PolicyStatement(
            sid="ReadDeployments",
            actions=[
                "codedeploy:BatchGetDeployments",
                "codedeploy:GetDeployment",
                "codedeploy:GetDeploymentGroup",
                "codedeploy:ListDeployments",
            ],
            resources=[
                self._arn("codedeploy", "deploymentgroup", group, ArnFormat.COLON_RESOURCE_NAME)
            ],
        )

    def _logs(self, groups: Sequence[str]) -> iam.PolicyStatement:
        arns = [
            self._arn("logs", "log-group", f"{group}:*", ArnFormat.COLON_RESOURCE_NAME)
            for group in groups
        ]
        acknowledge_wildcards(
            self,
            arns,
            "One log group each; its ARN in a policy ends with a wildcard:"
            " https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html",
        )
        return iam.PolicyStatement(sid="ReadLogs", actions=["logs:FilterLogEvents"], resources=arns)

    def _kept_versions(self, functions: Sequence[str]) -> iam.PolicyStatement:
        """Let a function's versions be written down before the function is removed."""
        streams = [
            self._arn(
                "logs",
                "log-group",
                f"/aws/lambda/{function}:log-stream:versions/*",
                ArnFormat.COLON_RESOURCE_NAME,
            )
            for function in functions
        ]
        acknowledge_wildcards(self, streams, "Streams are named by the time of their writing.")
        return iam.PolicyStatement(
            sid="KeepVersions",
            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
            resources=streams,
        )

    def _release(self, parameter: str) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            sid="ReadReleaseParameter",
            actions=["ssm:GetParameter", "ssm:GetParameterHistory"],
            resources=[self._arn("ssm", "parameter", parameter.removeprefix("/"))],
        )

    def _table(self, name: str) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            sid="DescribeTable",
            actions=[
                "dynamodb:DescribeContinuousBackups",
                "dynamodb:DescribeTable",
                "dynamodb:DescribeTimeToLive",
            ],
            resources=[self._arn("dynamodb", "table", name)],
        )

    def _alarms(self) -> iam.PolicyStatement:
        all_alarms = self._arn("cloudwatch", "alarm", "*", ArnFormat.COLON_RESOURCE_NAME)
        acknowledge_wildcards(
            self,
            [all_alarms],
            "DescribeAlarms filters by a prefix of the name, and it is not documented that a policy"
            " can do the same:"
            " https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html",
        )
        return iam.PolicyStatement(
            sid="DescribeAlarms", actions=["cloudwatch:DescribeAlarms"], resources=[all_alarms]
        )

    def _actions_without_resources(self) -> iam.PolicyStatement:
        acknowledge_wildcards(
            self,
            ["*"],
            "These six actions have no resource types:"
            " https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html",
        )
        return iam.PolicyStatement(
            sid="ActionsWithoutResources",
            actions=[
                "cloudformation:ListStacks",
                "cloudwatch:GetMetricStatistics",
                "codedeploy:BatchGetDeploymentTargets",
                "codedeploy:ListDeploymentTargets",
                "ecr:GetAuthorizationToken",
                "lambda:GetAccountSettings",
            ],
            resources=["*"],
        )

    def _arn(
        self,
        service: str,
        resource: str,
        name: str,
        form: ArnFormat = ArnFormat.SLASH_RESOURCE_NAME,
    ) -> str:
        return Stack.of(self).format_arn(
            service=service, resource=resource, resource_name=name, arn_format=form
        )
