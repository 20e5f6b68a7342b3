"""The stack that keeps one client from taking everything, and watches what all costs."""

from typing import Any

from aws_cdk import CfnOutput, Duration, Fn, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from constructs import Construct
from constructs.alarm_topic import alarm_topic
from constructs.client_limit import ClientLimit
from constructs.monthly_budget import MonthlyBudget

from config.names import GUARD_REGION, StageNames
from config.settings import StageSettings

_ACL_OUTPUT = "WebAclArn"


class GuardStack(Stack):
    """A limit for each client, an alarm when it refuses somebody, and a budget.

    Each is there if its setting is. It is in ``GUARD_REGION``, wherever the stage is: a web ACL for
    CloudFront and its metrics are there only, and an alarm notifies topics of its own Region.

    Args:
        names: the names of the stage.
        settings: those of the stage.

    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: StageNames,
        settings: StageSettings,
        **stack: Any,
    ) -> None:
        super().__init__(scope, construct_id, **stack)
        budget = settings.monthly_budget_usd
        topic = alarm_topic(self, name_prefix=names.guard_stack, for_budgets=budget is not None)
        if settings.requests_per_client is not None:
            limit = ClientLimit(
                self,
                "Limit",
                name=names.guard_stack,
                requests_per_client=settings.requests_per_client,
            )
            alarm = cloudwatch.Alarm(
                self,
                "ClientRefused",
                alarm_name=f"{names.guard_stack}-client-refused",
                alarm_description="For minutes, clients have sent more than requestsPerClient and"
                " were refused. Look for their addresses in the web ACL's sampled requests.",
                metric=_refused(names.guard_stack),
                threshold=1,
                comparison_operator=(
                    cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
                ),
                evaluation_periods=5,
                datapoints_to_alarm=3,
                treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            )
            alarm.add_alarm_action(actions.SnsAction(topic))
            alarm.add_ok_action(actions.SnsAction(topic))
            CfnOutput(self, _ACL_OUTPUT, value=limit.acl.attr_arn)
        if budget is not None:
            MonthlyBudget(self, "Budget", us_dollars=budget, topic=topic)
        CfnOutput(self, "AlarmTopicArn", value=topic.topic_arn)


def web_acl_arn(names: StageNames) -> str:
    """Return the ARN of the stage's web ACL, for a stack in any Region; it is read at deployment.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-getstackoutput.html
    """
    return Fn.get_stack_output(names.guard_stack, _ACL_OUTPUT, GUARD_REGION)


def _refused(acl: str) -> cloudwatch.IMetric:
    """Return the requests that the limit has refused.

    Of CloudFront the metric has no dimension for the Region:
    https://docs.aws.amazon.com/waf/latest/developerguide/waf-metrics.html
    """
    return cloudwatch.Metric(
        namespace="AWS/WAFV2",
        metric_name="BlockedRequests",
        dimensions_map={"WebACL": acl, "Rule": ClientLimit.RULE},
        period=Duration.minutes(1),
        statistic="Sum",
    )
