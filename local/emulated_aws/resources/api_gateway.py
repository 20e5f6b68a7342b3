"""HTTP APIs: API, integration, route and stage."""
# ruff: noqa: D102  (the methods are moto's protocol, documented once in Model)

from moto.apigatewayv2.models import ApiGatewayV2Backend, apigatewayv2_backends
from moto.core.common_models import CloudFormationModel

from local.emulated_aws.resources.model import Model, Properties, arguments, camel


class _HttpApiModel(Model):
    @property
    def backend(self) -> ApiGatewayV2Backend:
        return apigatewayv2_backends[self.account_id][self.region]


class ApiModel(_HttpApiModel, CloudFormationModel):
    """Ref is the API's id."""

    TYPE = "AWS::ApiGatewayV2::Api"
    ATTRIBUTES = ("ApiEndpoint", "ApiId")
    physical_resource_id = ""

    def put(self, name: str, properties: Properties) -> None:  # noqa: ARG002  (Name is required)
        wanted = properties | {"CorsConfiguration": camel(properties.get("CorsConfiguration"))}
        if self.physical_resource_id:
            update = arguments(self.backend.update_api, wanted)
            self.backend.update_api(**update | {"api_id": self.physical_resource_id})
        else:
            api = self.backend.create_api(**arguments(self.backend.create_api, wanted))
            self.physical_resource_id = api.api_id

    def attribute(self, name: str) -> str:
        api = self.backend.get_api(self.physical_resource_id)
        return api.api_endpoint if name == "ApiEndpoint" else api.api_id

    def delete(self, *_: str) -> None:
        self.backend.delete_api(self.physical_resource_id)


class IntegrationModel(_HttpApiModel, CloudFormationModel):
    """Ref is the integration's id; it stays the same when the integration is updated."""

    TYPE = "AWS::ApiGatewayV2::Integration"
    physical_resource_id = ""

    def put(self, name: str, properties: Properties) -> None:  # noqa: ARG002  (it has no name)
        self.api_id = properties["ApiId"]
        wanted = {"ConnectionType": "INTERNET"} | properties
        created = self.backend.create_integration(
            **arguments(self.backend.create_integration, wanted)
        )
        integrations = self.backend.get_api(self.api_id).integrations
        del integrations[created.id]
        created.id = self.physical_resource_id = self.physical_resource_id or created.id
        integrations[created.id] = created

    def delete(self, *_: str) -> None:
        self.backend.delete_integration(self.api_id, self.physical_resource_id)


class RouteModel(_HttpApiModel, CloudFormationModel):
    """Ref is the route's id; it stays the same when the route is updated."""

    TYPE = "AWS::ApiGatewayV2::Route"
    physical_resource_id = ""

    def put(self, name: str, properties: Properties) -> None:  # noqa: ARG002  (it has no name)
        self.api_id = properties["ApiId"]
        wanted = {"ApiKeyRequired": False, "AuthorizationType": "NONE"} | properties
        created = self.backend.create_route(**arguments(self.backend.create_route, wanted))
        routes = self.backend.get_api(self.api_id).routes
        del routes[created.route_id]
        created.route_id = self.physical_resource_id = self.physical_resource_id or created.route_id
        routes[created.route_id] = created

    def delete(self, *_: str) -> None:
        self.backend.delete_route(self.api_id, self.physical_resource_id)


class StageModel(_HttpApiModel, CloudFormationModel):
    """Ref is the stage's name."""

    TYPE = "AWS::ApiGatewayV2::Stage"

    def put(self, name: str, properties: Properties) -> None:  # noqa: ARG002  (StageName is it)
        self.api_id = properties["ApiId"]
        self.physical_resource_id = properties["StageName"]
        self.backend.create_stage(self.api_id, camel(properties))

    def delete(self, *_: str) -> None:
        self.backend.delete_stage(self.api_id, self.physical_resource_id)
