"""The table that holds the rooms: one item each."""

from aws_cdk import Acknowledgment, RemovalPolicy, Validations
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from constructs import Construct


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
        """Grant the four actions that the function uses; scan is not one of them."""
        self.table.grant(
            grantee,
            "dynamodb:PutItem",
            "dynamodb:GetItem",
            "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
        )
