"""The base of the models: moto's protocol for CloudFormation, on moto's own backends.

moto finds a model by ``CloudFormationModel.__subclasses__()``: every class here names that base
itself. Property names and return values: the AWS CloudFormation template reference.
"""
# ruff: noqa: D102  (the methods are moto's protocol, documented once in Model)

import inspect
from typing import Any, ClassVar, Self

from moto.cloudformation.exceptions import UnformattedGetAttTemplateException

Properties = dict[str, Any]


class Model:
    """The part of CloudFormation's protocol that is the same for every type of these modules."""

    TYPE: ClassVar[str]
    NAME_PROPERTY: ClassVar[str] = ""
    ATTRIBUTES: ClassVar[tuple[str, ...]] = ()
    physical_resource_id: str = ""

    def __init__(self, account_id: str, region: str, name: str) -> None:
        self.account_id = account_id
        self.region = region
        self.name = name

    def put(self, name: str, properties: Properties) -> None:
        """Create the resource, or give it these properties; set ``physical_resource_id``."""
        raise NotImplementedError

    def attribute(self, name: str) -> str:
        """Return one of ATTRIBUTES for Fn::GetAtt."""
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
        resource = cls(account_id, region_name, resource_name)
        resource.put(resource_name, cloudformation_json["Properties"])
        return resource

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Self,
        new_resource_name: str,  # noqa: ARG003  (where the template names none, it is a new one)
        cloudformation_json: dict[str, Any],
        account_id: str,  # noqa: ARG003  (moto's protocol)
        region_name: str,  # noqa: ARG003  (moto's protocol)
    ) -> Self:
        properties = cloudformation_json["Properties"]
        original_resource.put(properties.get(cls.NAME_PROPERTY, original_resource.name), properties)
        return original_resource


def arguments(function: Any, properties: Properties) -> dict[str, Any]:
    """Map properties to the parameters of one of moto's functions: ``ApiId`` is ``api_id``."""
    return {
        name: properties.get("".join(part.capitalize() for part in name.split("_")))
        for name in inspect.signature(function).parameters
    }


def camel(value: Any) -> Any:
    """Lower the first letter of every key, as the service's own API writes it."""
    match value:
        case dict():
            return {key[:1].lower() + key[1:]: camel(item) for key, item in value.items()}
        case list():
            return [camel(item) for item in value]
    return value
