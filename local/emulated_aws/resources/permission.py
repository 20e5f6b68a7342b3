"""Permissions to invoke Lambda functions."""
# ruff: noqa: D102  (the methods are moto's protocol, documented once in Model)

import json
from contextlib import suppress

from moto.awslambda.models import lambda_backends
from moto.awslambda.policy import Policy
from moto.core.common_models import CloudFormationModel

from local.emulated_aws.resources.model import Model, Properties


class PermissionModel(Model, CloudFormationModel):
    """Ref is the id of the statement in the function's policy. A change is another statement."""

    TYPE = "AWS::Lambda::Permission"
    policy: Policy

    def put(self, name: str, properties: Properties) -> None:
        if self.physical_resource_id:
            self.delete()
        function = lambda_backends[self.account_id][self.region].get_function(
            properties["FunctionName"]
        )
        self.policy = function.policy
        self.statement, _ = self.policy.add_statement(
            json.dumps({**properties, "StatementId": name})
        )
        self.physical_resource_id = name

    def delete(self, *_: str) -> None:
        with suppress(ValueError):  # It went with its function.
            self.policy.statements.remove(self.statement)
