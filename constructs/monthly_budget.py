"""A budget that tells when the account costs more than it should."""

from typing import Final

from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_sns as sns
from constructs import Construct

NOTIFIED_AT: Final = (("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100))
"""What is told of: costs so far, and those to be expected, in percent of the budget."""


class MonthlyBudget(Construct):
    """A monthly budget of the whole account, which limits nothing and notifies a topic.

    It counts the account and not one stage: a cost that nobody expected may be anywhere, and costs
    are known by tag only where somebody has switched that on in the billing console.
    https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-best-practices.html

    Args:
        us_dollars: its amount.
        topic: what is notified; AWS Budgets may publish to it.

    """

    def __init__(
        self, scope: Construct, construct_id: str, *, us_dollars: int, topic: sns.ITopic
    ) -> None:
        super().__init__(scope, construct_id)
        # CloudFormation names it: a change of what is notified replaces it.
        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=us_dollars, unit="USD"),
            ),
            notifications_with_subscribers=[
                budgets.CfnBudget.NotificationWithSubscribersProperty(
                    notification=budgets.CfnBudget.NotificationProperty(
                        notification_type=kind,
                        comparison_operator="GREATER_THAN",
                        threshold=percent,
                        threshold_type="PERCENTAGE",
                    ),
                    subscribers=[
                        budgets.CfnBudget.SubscriberProperty(
                            subscription_type="SNS", address=topic.topic_arn
                        )
                    ],
                )
                for kind, percent in NOTIFIED_AT
            ],
        )
