"""Lambda layers."""
# ruff: noqa: D102  (the methods are moto's protocol, documented once in Model)

from moto.awslambda.models import lambda_backends
from moto.core.common_models import CloudFormationModel

from local.emulated_aws.resources.model import Model, Properties


class LayerVersionModel(Model, CloudFormationModel):
    """Ref is the version's ARN: each change is a new version with a new one."""

    TYPE = "AWS::Lambda::LayerVersion"
    NAME_PROPERTY = "LayerName"
    ATTRIBUTES = ("LayerVersionArn",)

    def put(self, name: str, properties: Properties) -> None:
        backend = lambda_backends[self.account_id][self.region]
        version = backend.publish_layer_version({**properties, "LayerName": name})
        self.physical_resource_id = version.arn

    def attribute(self, name: str) -> str:  # noqa: ARG002  (there is one)
        return self.physical_resource_id

    def delete(self, *_: str) -> None:
        """Leave it: function versions that use it keep it when it is deleted.

        https://docs.aws.amazon.com/lambda/latest/dg/creating-deleting-layers.html
        """
