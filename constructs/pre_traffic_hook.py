"""The function that tests a new version before it gets traffic."""

from aws_cdk import Duration, RemovalPolicy, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct
from constructs.acknowledged import acknowledge_double_dependencies, acknowledge_versions
from constructs.local_bundling import CONTRACT, SOURCE, package_code
from constructs.python_runtime import NOT_THE_LATEST, PYTHON

TIMEOUT = Duration.minutes(3)
"""For seven requests, of which the first starts the environment, and the report."""


class PreTrafficHook(Construct):
    """CodeDeploy's ``BeforeAllowTraffic`` hook: runs the contract test on a new version.

    It is always a zip without libraries: an image could break in the same way as the function's.
    It gets the new version by number; the alias still points to the old one.

    Args:
        function_name: the hook's name; its log group is named after it.
        version: the new version.
        architecture: the CPU that it runs on.
        log_retention: the lifetime of log lines.

    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        function_name: str,
        version: lambda_.Version,
        architecture: lambda_.Architecture,
        log_retention: logs.RetentionDays,
    ) -> None:
        super().__init__(scope, construct_id)
        self.log_group = logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/lambda/{function_name}",
            retention=log_retention,
            removal_policy=RemovalPolicy.DESTROY,
        )
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        self.log_group.grant_write(role)
        # All versions: a change of this policy would take time to spread during a deployment.
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["lambda:InvokeFunction"],
                resources=[f"{version.lambda_.function_arn}:*"],
            )
        )
        acknowledge_versions(
            role, version.lambda_, "The numbers of later versions are not known yet."
        )
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=function_name,
            code=package_code(SOURCE / "pre_traffic_hook", CONTRACT),
            handler="pre_traffic_hook.main.handler",
            runtime=PYTHON,
            architecture=architecture,
            memory_size=256,
            timeout=TIMEOUT,
            environment={"NEW_VERSION_ARN": version.function_arn},
            role=role,
            log_group=self.log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            application_log_level_v2=lambda_.ApplicationLogLevel.INFO,
            system_log_level_v2=lambda_.SystemLogLevel.INFO,
        )
        # CDK itself adds a DependsOn for the role.
        acknowledge_double_dependencies(self.function)
        Validations.of(self.function).acknowledge(NOT_THE_LATEST)
