"""Logs that outlive their stack: they are evidence."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import IConstruct


def keep_logs(scope: IConstruct) -> None:
    """Let every log group below stay when the stack is deleted, or when the group leaves it.

    Its lines still expire by its retention. A group that was made by a deployment which failed goes
    again (``RetainExceptOnCreate``): the next one could not make another of that name.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
    """
    for part in scope.node.find_all():
        if isinstance(part, logs.CfnLogGroup):
            part.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
