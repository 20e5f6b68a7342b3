"""Parameters of the Systems Manager."""
# ruff: noqa: D102  (the methods are moto's protocol, documented once in Model)

from moto.core.common_models import CloudFormationModel
from moto.ssm.models import ssm_backends

from local.emulated_aws.resources.model import Model, Properties, arguments


class ParameterModel(Model, CloudFormationModel):
    """Ref is the parameter's name. A changed value is a new version in the parameter's history."""

    TYPE = "AWS::SSM::Parameter"
    NAME_PROPERTY = "Name"
    ATTRIBUTES = ("Type", "Value")

    def put(self, name: str, properties: Properties) -> None:
        self.properties = properties
        backend = ssm_backends[self.account_id][self.region]
        tags = [{"Key": key, "Value": value} for key, value in properties.get("Tags", {}).items()]
        wanted = {"DataType": "text", "Description": ""} | properties
        parameter = arguments(backend.put_parameter, wanted) | {
            "name": name,
            "value": str(properties["Value"]),
            "parameter_type": properties["Type"],
            "overwrite": bool(self.physical_resource_id),
            # One that is there gets its tags by another call.
            "tags": [] if self.physical_resource_id else tags,
        }
        backend.put_parameter(**parameter)
        self.physical_resource_id = name

    def attribute(self, name: str) -> str:
        return str(self.properties[name])

    def delete(self, *_: str) -> None:
        ssm_backends[self.account_id][self.region].delete_parameter(self.physical_resource_id)
