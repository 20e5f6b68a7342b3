"""A Lambda function, as an image or a zip, with an alias for its traffic."""

from collections.abc import Mapping

from aws_cdk import Acknowledgment, Duration, RemovalPolicy, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct
from constructs.acknowledged import acknowledge_double_dependencies
from constructs.function_package import FunctionPackage
from constructs.python_runtime import NOT_THE_LATEST


class LiveFunction(Construct):
    """A function, its log group, and the alias ``live`` that traffic goes to.

    Every change of the function makes a new version. Old versions are kept for a rollback.

    Args:
        function_name: its name; the log group has it too.
        package: its code.
        architecture: the CPU of the code; required, because Lambda's default is x86_64.
        memory_mb: memory in MiB, which also decides the share of a CPU.
        timeout: the longest time of an invocation.
        environment: environment variables.
        log_retention: the lifetime of log lines.
        reserved_concurrency: the number of environments reserved for it, which is also its limit.

    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        function_name: str,
        package: FunctionPackage,
        architecture: lambda_.Architecture,
        memory_mb: int,
        timeout: Duration,
        environment: Mapping[str, str],
        log_retention: logs.RetentionDays,
        reserved_concurrency: int | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.log_group = function_log(self, function_name, log_retention)
        # CDK's default role has a managed policy for all log groups.
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        self.log_group.grant_write(role)
        Validations.of(role).acknowledge(
            Acknowledgment(
                id="AwsSolutions-IAM5[Resource::*]",
                reason="The two X-Ray actions that tracing needs have no resource types:"
                " https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html",
            )
        )
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=function_name,
            code=package.code,
            handler=package.handler,
            runtime=package.runtime,
            layers=package.layers,
            architecture=architecture,
            memory_size=memory_mb,
            timeout=timeout,
            environment=dict(environment),
            role=role,
            reserved_concurrent_executions=reserved_concurrency,
            log_group=self.log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            application_log_level_v2=lambda_.ApplicationLogLevel.INFO,
            system_log_level_v2=lambda_.SystemLogLevel.INFO,
            tracing=lambda_.Tracing.ACTIVE,
            # Not RETAIN: a version that survives the rollback of its own deployment would make
            # CloudFormation refuse the next deployment of the same code.
            current_version_options=lambda_.VersionOptions(
                removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
            ),
        )
        # CDK itself adds a DependsOn for the role.
        acknowledge_double_dependencies(self.function)
        Validations.of(self.function).acknowledge(NOT_THE_LATEST)
        self.version = self.function.current_version
        self.live = lambda_.Alias(self, "Live", alias_name="live", version=self.version)


def function_log(
    scope: Construct, function_name: str, retention: logs.RetentionDays
) -> logs.LogGroup:
    """Define the log group of a function, which may not be there."""
    return logs.LogGroup(
        scope,
        "Logs",
        log_group_name=f"/aws/lambda/{function_name}",
        retention=retention,
        removal_policy=RemovalPolicy.DESTROY,
    )
