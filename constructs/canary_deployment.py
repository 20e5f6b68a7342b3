"""How an alias moves to a new version: some traffic first, then all, or back."""

from collections.abc import Sequence

from aws_cdk import Acknowledgment, Annotations, Validations
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_lambda as lambda_
from constructs import Construct
from constructs.acknowledged import acknowledge_double_dependencies, acknowledge_versions
from constructs.pre_traffic_hook import PreTrafficHook


class CanaryDeployment(Construct):
    """CodeDeploy shifts a tenth of the traffic when the hook says yes, and the rest in 5 minutes.

    A hook that says no, or an alarm, moves all traffic back, and CloudFormation its stack.

    What creates the alias is no update of it, so CodeDeploy does not see the first version of a
    function: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-updatepolicy.html

    Args:
        name: of the CodeDeploy application; the deployment group is named after the alias.
        live: the alias.
        hook: what asks the new version.
        alarms: what stops the shift. One that is in ALARM when it begins stops it too, so only what
            watches the new version alone belongs here: else a fix could not be deployed while the
            fault that it mends is an alarm.
        emergency: shift everything at once, without asking hook or alarms.

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
            # What the hook needs stays, so that the next deployment has not to wait for it.
            self.group.grant_put_lifecycle_event_hook_execution_status(hook.function)
            hook.function.grant_invoke(self.group.role)
            Annotations.of(self).add_warning_v2(
                "hima-five-bomber:emergency",
                "EMERGENCY: the new version gets all traffic at once. No hook asks it, no alarm"
                " stops it, nothing rolls it back. Deploy again without -c emergency=true as soon"
                " as this is over.",
            )
        else:
            self.group.add_pre_hook(hook.function)
        # The shift waits until the hook knows the new version and each may call the other. Nothing
        # promises that what an update policy refers to is waited for.
        live.node.add_dependency(hook.function, self.group)
        acknowledge_double_dependencies(live)
        acknowledge_versions(
            self.group, hook.function, "What CDK grants to who may invoke a function."
        )
        Validations.of(self.group).acknowledge(
            Acknowledgment(
                id="AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
                "AWSCodeDeployRoleForLambdaLimited]",
                reason="AWS's policy for this one task:"
                " https://docs.aws.amazon.com/codedeploy/latest/userguide/getting-started-create-service-role.html",
            )
        )
