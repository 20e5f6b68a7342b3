"""A canary deployment: CodeDeploy shifts the traffic of an alias to a new version in two steps."""

from collections.abc import Sequence

from aws_cdk import Acknowledgment, Annotations, Validations
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_lambda as lambda_
from constructs import Construct
from constructs.acknowledged import acknowledge_double_dependencies, acknowledge_versions
from constructs.pre_traffic_hook import PreTrafficHook


class CanaryDeployment(Construct):
    """CodeDeploy shifts 10 % of the traffic after the hook has succeeded, and the rest 5 min later.

    A failed hook or an alarm moves all traffic back, and CloudFormation rolls back the stack.

    The first version of a function is not deployed this way, because it creates the alias:
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-updatepolicy.html

    Args:
        name: of the CodeDeploy application; the deployment group is named after the alias.
        live: the alias.
        hook: tests the new version.
        alarms: they stop the shift, also when they are in ALARM before it. So they must watch only
            the new version: otherwise the alarm for a fault would stop the deployment of its fix.
        emergency: shift everything at once, without hook and alarms.

    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        live: lambda_.Alias,
        hook: PreTrafficHook,
        alarms: Sequence[cloudwatch.IAlarm],
        emergency: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        self.application = codedeploy.LambdaApplication(self, "Application", application_name=name)
        configurations = codedeploy.LambdaDeploymentConfig
        self.group = codedeploy.LambdaDeploymentGroup(
            self,
            "Group",
            application=self.application,
            deployment_group_name=live.alias_name,
            alias=live,
            deployment_config=(
                configurations.ALL_AT_ONCE
                if emergency
                else configurations.CANARY_10_PERCENT_5_MINUTES
            ),
            alarms=[] if emergency else list(alarms),
            auto_rollback=codedeploy.AutoRollbackConfig(
                failed_deployment=True, deployment_in_alarm=not emergency
            ),
        )
        if emergency:
            # The hook keeps its permissions, so that the next deployment does not wait for them.
            self.group.grant_put_lifecycle_event_hook_execution_status(hook.function)
            hook.function.grant_invoke(self.group.role)
            Annotations.of(self).add_warning_v2(
                "hima-five-bomber:emergency",
                "EMERGENCY: the new version gets all traffic at once. No hook tests it, no alarm"
                " stops it, nothing rolls it back. Deploy again without -c emergency=true as soon"
                " as the emergency is over.",
            )
        else:
            self.group.add_pre_hook(hook.function)
        # The shift waits until the hook has the new version and all permissions. No documentation
        # says that CloudFormation waits for the resources of an update policy.
        live.node.add_dependency(hook.function, self.group)
        acknowledge_double_dependencies(live)
        acknowledge_versions(
            self.group, hook.function, "CDK's grant to invoke a function covers all versions."
        )
        Validations.of(self.group).acknowledge(
            Acknowledgment(
                id="AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
                "AWSCodeDeployRoleForLambdaLimited]",
                reason="AWS's managed policy for this task:"
                " https://docs.aws.amazon.com/codedeploy/latest/userguide/getting-started-create-service-role.html",
            )
        )
