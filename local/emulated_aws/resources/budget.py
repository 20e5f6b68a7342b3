"""AWS Budgets, which no cost ever reaches here."""
# ruff: noqa: D102  (the methods are moto's protocol, documented once in Model)

from moto.budgets.models import BudgetsBackend, budgets_backends
from moto.core.common_models import CloudFormationModel

from local.emulated_aws.resources.model import Model, Properties


class BudgetModel(Model, CloudFormationModel):
    """Ref is the budget's name."""

    TYPE = "AWS::Budgets::Budget"

    def put(self, name: str, properties: Properties) -> None:
        if self.physical_resource_id:
            self.delete()
        budget = {"BudgetName": name} | properties["Budget"]
        self.physical_resource_id = budget["BudgetName"]
        self._backend.create_budget(
            self.account_id, budget, properties.get("NotificationsWithSubscribers", [])
        )

    def delete(self, *_: str) -> None:
        self._backend.delete_budget(self.account_id, self.physical_resource_id)

    @property
    def _backend(self) -> BudgetsBackend:
        return budgets_backends[self.account_id]["aws"]
