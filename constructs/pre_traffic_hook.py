"""The function that asks a new version before it gets traffic."""

from aws_cdk import Duration, RemovalPolicy, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct
from constructs.acknowledged import acknowledge_double_dependencies, acknowledge_versions
from constructs.local_bundling import package_code
from constructs.python_runtime import NOT_THE_LATEST, PYTHON

TIMEOUT = Duration.minutes(3)
"""Seven requests, of which the first starts the environment, and then the report."""


class PreTrafficHook(Construct):
    """CodeDeploy's ``BeforeAllowTraffic`` hook: plays the contract of the API with a new version.

    A zip without libraries, whatever the function is: what is built like an image breaks like it.
    It is told the new version by number; through the alias it would ask the old one.

    Args:
        function_name: the hook's name; its log group is named after it.
        version: the new version.
        architecture: the CPU that it runs on.
        log_retention: how long log lines are kept.

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
        # Every version, so that no change of this policy has to spread while a deployment waits.
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["lambda:InvokeFunction"],
                resources=[f"{version.lambda_.function_arn}:*"],
            )
        )
        acknowledge_versions(
            role, version.lambda_, "The next version is not there yet, and has no number."
        )
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=function_name,
            code=package_code("probe"),
            handler="probe.hook.handler",
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
        # That on the role is CDK's own way of writing it.
        acknowledge_double_dependencies(self.function)
        Validations.of(self.function).acknowledge(NOT_THE_LATEST)
