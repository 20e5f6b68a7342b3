"""CloudFormation models of the resource types that moto lacks, on top of moto's own backends.

moto finds a model by ``CloudFormationModel.__subclasses__()``: every class here names that base
itself. Property names and return values: the AWS CloudFormation template reference.
"""
# ruff: noqa: D102  (what the methods are for is moto's protocol, and said once, in _Model)

import inspect
import json
from typing import Any, ClassVar, Self

from moto.apigatewayv2.models import ApiGatewayV2Backend, apigatewayv2_backends
from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.models import LambdaBackend, LambdaFunction, LambdaVersion, lambda_backends
from moto.cloudformation import parsing
from moto.cloudformation.exceptions import UnformattedGetAttTemplateException, ValidationError
from moto.cloudwatch.models import (
    Dimension,
    Metric,
    MetricDataQuery,
    MetricStat,
    cloudwatch_backends,
)
from moto.core.common_models import CloudFormationModel
from moto.logs.models import logs_backends
from moto.sns.models import sns_backends

Properties = dict[str, Any]


def register() -> None:
    """Make moto look for its models again, now that those of this module exist."""
    for cached in (parsing.get_model_list, parsing.get_model_map, parsing.get_name_type_map):
        cached.cache_clear()


class _Model:
    """The part of CloudFormation's protocol that is the same for every type below."""

    TYPE: ClassVar[str]
    NAME_PROPERTY: ClassVar[str] = ""
    ATTRIBUTES: ClassVar[tuple[str, ...]] = ()
    physical_resource_id: str

    def __init__(self, account_id: str, region: str) -> None:
        self.account_id = account_id
        self.region = region

    def put(self, name: str, properties: Properties) -> None:
        """Create the resource, or give it these properties; set ``physical_resource_id``."""
        raise NotImplementedError

    def attribute(self, name: str) -> str:
        """Answer Fn::GetAtt for one of ATTRIBUTES."""
        raise NotImplementedError(name)

    @classmethod
    def cloudformation_type(cls) -> str:
        return cls.TYPE

    @classmethod
    def cloudformation_name_type(cls) -> str:
        return cls.NAME_PROPERTY

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr in cls.ATTRIBUTES

    def get_cfn_attribute(self, attribute_name: str) -> str:
        if attribute_name not in self.ATTRIBUTES:
            raise UnformattedGetAttTemplateException
        return self.attribute(attribute_name)

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **_: Any,
    ) -> Self:
        resource = cls(account_id, region_name)
        resource.put(resource_name, cloudformation_json["Properties"])
        return resource

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Self,
        new_resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,  # noqa: ARG003  (moto's protocol)
        region_name: str,  # noqa: ARG003  (moto's protocol)
    ) -> Self:
        original_resource.put(new_resource_name, cloudformation_json["Properties"])
        return original_resource


class _ApiPart(_Model):
    @property
    def backend(self) -> ApiGatewayV2Backend:
        return apigatewayv2_backends[self.account_id][self.region]


class Api(_ApiPart, CloudFormationModel):
    """Ref is the API's id."""

    TYPE = "AWS::ApiGatewayV2::Api"
    ATTRIBUTES = ("ApiEndpoint", "ApiId")
    physical_resource_id = ""

    def put(self, name: str, properties: Properties) -> None:  # noqa: ARG002  (Name is required)
        wanted = properties | {"CorsConfiguration": _camel(properties.get("CorsConfiguration"))}
        if self.physical_resource_id:
            update = _arguments(self.backend.update_api, wanted)
            self.backend.update_api(**update | {"api_id": self.physical_resource_id})
        else:
            api = self.backend.create_api(**_arguments(self.backend.create_api, wanted))
            self.physical_resource_id = api.api_id

    def attribute(self, name: str) -> str:
        api = self.backend.get_api(self.physical_resource_id)
        return api.api_endpoint if name == "ApiEndpoint" else api.api_id

    def delete(self, *_: str) -> None:
        self.backend.delete_api(self.physical_resource_id)


class Integration(_ApiPart, CloudFormationModel):
    """Ref is the integration's id; it stays the same when the integration is updated."""

    TYPE = "AWS::ApiGatewayV2::Integration"
    physical_resource_id = ""

    def put(self, name: str, properties: Properties) -> None:  # noqa: ARG002  (it has no name)
        self.api_id = properties["ApiId"]
        wanted = {"ConnectionType": "INTERNET"} | properties
        created = self.backend.create_integration(
            **_arguments(self.backend.create_integration, wanted)
        )
        integrations = self.backend.get_api(self.api_id).integrations
        del integrations[created.id]
        created.id = self.physical_resource_id = self.physical_resource_id or created.id
        integrations[created.id] = created

    def delete(self, *_: str) -> None:
        self.backend.delete_integration(self.api_id, self.physical_resource_id)


class Route(_ApiPart, CloudFormationModel):
    """Ref is the route's id; it stays the same when the route is updated."""

    TYPE = "AWS::ApiGatewayV2::Route"
    physical_resource_id = ""

    def put(self, name: str, properties: Properties) -> None:  # noqa: ARG002  (it has no name)
        self.api_id = properties["ApiId"]
        wanted = {"ApiKeyRequired": False, "AuthorizationType": "NONE"} | properties
        created = self.backend.create_route(**_arguments(self.backend.create_route, wanted))
        routes = self.backend.get_api(self.api_id).routes
        del routes[created.route_id]
        created.route_id = self.physical_resource_id = self.physical_resource_id or created.route_id
        routes[created.route_id] = created

    def delete(self, *_: str) -> None:
        self.backend.delete_route(self.api_id, self.physical_resource_id)


class Stage(_ApiPart, CloudFormationModel):
    """Ref is the stage's name."""

    TYPE = "AWS::ApiGatewayV2::Stage"

    def put(self, name: str, properties: Properties) -> None:  # noqa: ARG002  (StageName is it)
        self.api_id = properties["ApiId"]
        self.physical_resource_id = properties["StageName"]
        self.backend.create_stage(self.api_id, _camel(properties))

    def delete(self, *_: str) -> None:
        self.backend.delete_stage(self.api_id, self.physical_resource_id)


class Function(LambdaFunction, CloudFormationModel):
    """moto's function, with the properties that moto's template model drops."""

    logging_config: dict[str, str]

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **_: Any,
    ) -> "Function":
        spec = {"FunctionName": resource_name, **cloudformation_json["Properties"]}
        tags = {tag["Key"]: tag["Value"] for tag in spec.pop("Tags", [])}
        try:
            function = cls(account_id, spec | {"Tags": tags}, region_name, "$LATEST")
        except LambdaClientError as error:  # Such as: the image is not in the repository.
            raise ValidationError(message=str(error.message)) from error
        function.logging_config = spec.get("LoggingConfig", {})
        lambda_backends[account_id][region_name]._lambdas.put_function(function)  # noqa: SLF001
        return function

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: LambdaFunction,
        new_resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> "Function":
        function = cls.create_from_cloudformation_json(
            new_resource_name, cloudformation_json, account_id, region_name
        )
        function.policy = original_resource.policy
        function.code_or_config_updated = True
        return function

    def get_configuration(self, on_create: bool = False) -> dict[str, Any]:
        logging = {"LogFormat": "Text", "LogGroup": self.logs_group_name} | self.logging_config
        return super().get_configuration(on_create) | {"LoggingConfig": logging}

    def get_code(self) -> dict[str, Any]:
        code = super().get_code()
        repository = self.code["ImageUri"].partition("@")[0]
        code["Code"]["ResolvedImageUri"] = f"{repository}@sha256:{self.code_sha_256}"
        return code


class Version(LambdaVersion, CloudFormationModel):
    """moto's version, with Ref (its ARN) and Fn::GetAtt."""

    physical_resource_id: str

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,  # noqa: ARG003  (moto's protocol)
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **_: Any,
    ) -> "Version":
        name = cloudformation_json["Properties"]["FunctionName"]
        function = lambda_backends[account_id][region_name].publish_version(name)
        assert function is not None  # noqa: S101  (there is one of that name, or moto raises)
        version = cls({"Version": function.version})
        version.physical_resource_id = function.function_arn
        return version

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr in ("FunctionArn", "Version")

    def get_cfn_attribute(self, attribute_name: str) -> str:
        if not self.has_cfn_attr(attribute_name):
            raise UnformattedGetAttTemplateException
        return str(self.version) if attribute_name == "Version" else self.physical_resource_id


class Alias(_Model, CloudFormationModel):
    """Ref is the alias's ARN."""

    TYPE = "AWS::Lambda::Alias"
    ATTRIBUTES = ("AliasArn",)
    physical_resource_id = ""

    @property
    def backend(self) -> LambdaBackend:
        return lambda_backends[self.account_id][self.region]

    def put(self, name: str, properties: Properties) -> None:  # noqa: ARG002  (Name is required)
        put = self.backend.update_alias if self.physical_resource_id else self.backend.create_alias
        alias = put(**_arguments(put, {"Description": "", "RoutingConfig": {}} | properties))
        self.name, self.function_name = alias.name, properties["FunctionName"]
        self.physical_resource_id = alias.arn

    def attribute(self, name: str) -> str:  # noqa: ARG002  (there is one)
        return self.physical_resource_id

    def delete(self, *_: str) -> None:
        self.backend.delete_alias(self.name, self.function_name)


class Alarm(_Model, CloudFormationModel):
    """Ref is the alarm's name."""

    TYPE = "AWS::CloudWatch::Alarm"
    NAME_PROPERTY = "AlarmName"
    ATTRIBUTES = ("Arn",)

    def put(self, name: str, properties: Properties) -> None:
        self.physical_resource_id = name
        backend = cloudwatch_backends[self.account_id][self.region]
        wanted = {"Dimensions": [], "AlarmActions": [], "ActionsEnabled": True} | properties
        arguments = _arguments(backend.put_metric_alarm, wanted) | {
            "name": name,
            "description": properties.get("AlarmDescription"),
            "ok_actions": properties.get("OKActions"),
            "metric_data_queries": [
                _metric_query(query) for query in properties.get("Metrics", [])
            ],
        }
        self.arn = backend.put_metric_alarm(**arguments).alarm_arn

    def attribute(self, name: str) -> str:  # noqa: ARG002  (there is one)
        return self.arn

    def delete(self, *_: str) -> None:
        backend = cloudwatch_backends[self.account_id][self.region]
        backend.delete_alarms([self.physical_resource_id])


class MetricFilter(_Model, CloudFormationModel):
    """Ref is the filter's name."""

    TYPE = "AWS::Logs::MetricFilter"
    NAME_PROPERTY = "FilterName"

    def put(self, name: str, properties: Properties) -> None:
        self.physical_resource_id, self.log_group = name, properties["LogGroupName"]
        self.delete()
        logs_backends[self.account_id][self.region].put_metric_filter(
            name,
            properties["FilterPattern"],
            self.log_group,
            _camel(properties["MetricTransformations"]),
        )

    def delete(self, *_: str) -> None:
        backend = logs_backends[self.account_id][self.region]
        backend.delete_metric_filter(self.physical_resource_id, self.log_group)


class BucketPolicy(_Model, CloudFormationModel):
    """Part of ``cdk bootstrap``. Accepted and not applied: moto enforces bucket policies without
    their conditions, so "deny what comes without TLS" would deny everything.
    """

    TYPE = "AWS::S3::BucketPolicy"

    def put(self, name: str, properties: Properties) -> None:  # noqa: ARG002  (not applied)
        self.physical_resource_id = name

    def delete(self, *_: str) -> None:
        """There is nothing to remove."""


class TopicPolicy(_Model, CloudFormationModel):
    """Ref is a generated name."""

    TYPE = "AWS::SNS::TopicPolicy"

    def put(self, name: str, properties: Properties) -> None:
        self.physical_resource_id = name
        backend = sns_backends[self.account_id][self.region]
        for topic in properties["Topics"]:
            backend.get_topic(topic).policy = json.dumps(properties["PolicyDocument"])

    def delete(self, *_: str) -> None:
        """Leave the policy: a topic always has one, and it goes with the topic."""


def _arguments(function: Any, properties: Properties) -> dict[str, Any]:
    """Name properties as the parameters of moto's function: ``api_id`` is ``ApiId``."""
    return {
        name: properties.get("".join(part.capitalize() for part in name.split("_")))
        for name in inspect.signature(function).parameters
    }


def _camel(value: Any) -> Any:
    """Lower the first letter of every key, as the service's own API writes it."""
    match value:
        case dict():
            return {key[:1].lower() + key[1:]: _camel(item) for key, item in value.items()}
        case list():
            return [_camel(item) for item in value]
    return value


def _metric_query(query: Any) -> MetricDataQuery:
    stat = None
    if "MetricStat" in query:
        metric = query["MetricStat"]["Metric"]
        dimensions = [Dimension(d["Name"], d["Value"]) for d in metric.get("Dimensions", [])]
        stat = MetricStat(
            Metric(metric["MetricName"], metric["Namespace"], dimensions),
            query["MetricStat"]["Period"],
            query["MetricStat"]["Stat"],
            query["MetricStat"].get("Unit"),
        )
    return MetricDataQuery(
        query["Id"],
        query.get("Label"),
        query.get("Period"),
        query.get("ReturnData", True),
        query.get("Expression"),
        stat,
    )
