"""The table that holds the rooms: one item each."""

from typing import Final

from aws_cdk import Acknowledgment, RemovalPolicy, Stack, Validations
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

# Those that the function uses; scan is not one of them. Earlier versions delete rooms, and a
# rollback brings one back with this same role.
_ROOM_OPERATIONS: Final = (
    "dynamodb:PutItem",
    "dynamodb:GetItem",
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
)


class RoomsTable(Construct):
    """An on-demand table with a TTL: DynamoDB deletes rooms some time after they have expired.

    Args:
        name: the table's name.
        retain: keep the table when the stack is deleted, with deletion protection and 35 days of
            point-in-time recovery.

    """

    def __init__(self, scope: Construct, construct_id: str, *, name: str, retain: bool) -> None:
        super().__init__(scope, construct_id)
        self.table = dynamodb.Table(
            self,
            "Table",
            table_name=name,
            partition_key=dynamodb.Attribute(name="roomId", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute="expiresAt",
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=retain
            ),
            deletion_protection=retain,
            removal_policy=RemovalPolicy.RETAIN if retain else RemovalPolicy.DESTROY,
        )
        if not retain:
            Validations.of(self.table).acknowledge(
                Acknowledgment(
                    id="AwsSolutions-DDB3",
                    reason="The rooms of this stage live for a day and need no backup.",
                )
            )

    def grant_room_operations(self, grantee: iam.IGrantable) -> None:
        """Grant the four actions that the function uses."""
        self.table.grant(grantee, *_ROOM_OPERATIONS)

    def grant_beside(self, first_table: str, function: lambda_.Function) -> None:
        """Grant the actions on this table, and on the one that the stage had first.

        While a deployment goes from one table to another, the version before still serves players
        from its own. So this table has a policy of its own, which comes before the new version and
        goes with the table, after the old one's last request.
        """
        role = function.role
        assert role  # noqa: S101  # for the type checker
        first = Stack.of(self).format_arn(
            service="dynamodb", resource="table", resource_name=first_table
        )
        role.add_to_principal_policy(_operations_on(first))
        policy = iam.Policy(
            self,
            "Access",
            statements=[_operations_on(self.table.table_arn)],
            roles=[role],
        )
        resource = function.node.default_child
        assert resource  # noqa: S101  # for the type checker
        # Not the construct, in which the role may be.
        resource.node.add_dependency(policy)


def _operations_on(table_arn: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=[*_ROOM_OPERATIONS], resources=[table_arn])
