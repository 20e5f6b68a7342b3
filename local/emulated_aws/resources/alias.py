"""Aliases of Lambda functions, which CodeDeploy moves where the template says so."""
# ruff: noqa: D102  (the methods are moto's protocol, documented once in Model)

from typing import Any, Self

from moto.awslambda.models import LambdaBackend, lambda_backends
from moto.core.common_models import CloudFormationModel

from local.emulated_aws import codedeploy
from local.emulated_aws.resources.model import Model, Properties, arguments


class AliasModel(Model, CloudFormationModel):
    """Ref is the alias's ARN."""

    TYPE = "AWS::Lambda::Alias"
    ATTRIBUTES = ("AliasArn",)

    @property
    def backend(self) -> LambdaBackend:
        return lambda_backends[self.account_id][self.region]

    def put(self, name: str, properties: Properties) -> None:  # noqa: ARG002  (Name is required)
        put = self.backend.update_alias if self.physical_resource_id else self.backend.create_alias
        alias = put(**arguments(put, {"Description": "", "RoutingConfig": {}} | properties))
        self.name, self.function_name = alias.name, properties["FunctionName"]
        self.physical_resource_id = alias.arn

    def attribute(self, name: str) -> str:  # noqa: ARG002  (there is one)
        return self.physical_resource_id

    def delete(self, *_: str) -> None:
        self.backend.delete_alias(self.name, self.function_name)

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Self,
        new_resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> Self:
        """Let CodeDeploy decide first, where the resource's ``UpdatePolicy`` names it.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-updatepolicy.html
        """
        policy = cloudformation_json.get("UpdatePolicy", {}).get("CodeDeployLambdaAliasUpdate")
        if policy is not None:
            alias = original_resource.backend.get_alias(
                original_resource.name, original_resource.function_name
            )
            target = str(cloudformation_json["Properties"]["FunctionVersion"])
            # A roll back finds the alias where it was.
            if str(alias.function_version) != target:
                codedeploy.deploy(
                    codedeploy.Shift(
                        application=policy["ApplicationName"],
                        group=policy["DeploymentGroupName"],
                        function=original_resource.function_name,
                        alias=alias.name,
                        current_version=str(alias.function_version),
                        target_version=target,
                    ),
                    hook=policy.get("BeforeAllowTrafficHook"),
                    account_id=account_id,
                    region=region_name,
                )
        return super().update_from_cloudformation_json(
            original_resource, new_resource_name, cloudformation_json, account_id, region_name
        )
