"""The SNS topic that alarms notify."""

from collections.abc import Mapping

from aws_cdk import ArnFormat, Aws, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct


def alarm_topic(scope: Construct, *, name_prefix: str, for_budgets: bool = False) -> sns.Topic:
    """Return a topic that the alarms of a prefix may publish to, and nobody without TLS.

    An alarm notifies topics of its own Region only, so each Region has its own. ``for_budgets``
    lets AWS Budgets publish, too:
    https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-sns-policy.html
    """
    topic = sns.Topic(scope, "Topic", topic_name=f"{name_prefix}-alarms", enforce_ssl=True)
    # A topic policy replaces the default one, which lets alarms publish.
    alarms = Stack.of(scope).format_arn(
        service="cloudwatch",
        resource="alarm",
        resource_name=f"{name_prefix}-*",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )
    _allow(topic, "Alarms", "cloudwatch", {"ArnLike": {"aws:SourceArn": alarms}})
    if for_budgets:
        budgets = f"arn:{Aws.PARTITION}:budgets::{Aws.ACCOUNT_ID}:*"
        _allow(
            topic,
            "Budgets",
            "budgets",
            {
                "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
                "ArnLike": {"aws:SourceArn": budgets},
            },
        )
    return topic


def _allow(
    topic: sns.Topic, who: str, service: str, conditions: Mapping[str, Mapping[str, str]]
) -> None:
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            sid=f"Allow{who}ToPublish",
            principals=[iam.ServicePrincipal(f"{service}.amazonaws.com")],
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            conditions=conditions,
        )
    )
