"""CodeDeploy's applications and deployment groups."""
# ruff: noqa: D102  (the methods are moto's protocol, documented once in Model)

from moto.codedeploy.models import AlarmConfiguration, CodeDeployBackend, codedeploy_backends
from moto.core.common_models import CloudFormationModel

from local.emulated_aws.resources.model import Model, Properties, camel


class _CodeDeployModel(Model):
    @property
    def backend(self) -> CodeDeployBackend:
        return codedeploy_backends[self.account_id][self.region]


class ApplicationModel(_CodeDeployModel, CloudFormationModel):
    """Ref is the application's name."""

    TYPE = "AWS::CodeDeploy::Application"
    NAME_PROPERTY = "ApplicationName"

    def put(self, name: str, properties: Properties) -> None:
        if not self.physical_resource_id:
            self.backend.create_application(name, properties.get("ComputePlatform", "Server"), [])
        self.physical_resource_id = name

    def delete(self, *_: str) -> None:
        del self.backend.applications[self.physical_resource_id]


class DeploymentGroupModel(_CodeDeployModel, CloudFormationModel):
    """Ref is the group's name."""

    TYPE = "AWS::CodeDeploy::DeploymentGroup"
    NAME_PROPERTY = "DeploymentGroupName"

    def put(self, name: str, properties: Properties) -> None:
        if self.physical_resource_id:
            self.delete()
        self.application = properties["ApplicationName"]
        self.physical_resource_id = name
        alarms = camel(properties.get("AlarmConfiguration", {}))
        self.backend.create_deployment_group(
            self.application,
            name,
            properties.get("DeploymentConfigName"),
            None,
            None,
            None,
            properties["ServiceRoleArn"],
            alarm_configuration=AlarmConfiguration(
                alarms.get("alarms"), alarms.get("enabled", bool(alarms.get("alarms")))
            ),
            auto_rollback_configuration=camel(properties.get("AutoRollbackConfiguration")),
            deployment_style=camel(properties.get("DeploymentStyle")),
        )

    def delete(self, *_: str) -> None:
        del self.backend.deployment_groups[self.application][self.physical_resource_id]
