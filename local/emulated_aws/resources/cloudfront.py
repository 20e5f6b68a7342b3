"""CloudFront: a distribution and its policies, stored as they are deployed.

``local.distribution`` reads them, and ``local.edge`` serves by them.
"""
# ruff: noqa: D102  (the methods are moto's protocol, documented once in Model)

import secrets
from typing import Any

from moto.core.common_models import CloudFormationModel

from local.emulated_aws.resources.model import Model, Properties


class _StoredModel(Model):
    """Ref is a generated id; it stays the same when the resource is updated."""

    properties: Properties
    CONFIG: str

    def put(self, name: str, properties: Properties) -> None:  # noqa: ARG002  (it is in the config)
        self.properties = properties
        self.physical_resource_id = self.physical_resource_id or f"E{secrets.token_hex(6).upper()}"

    def attribute(self, name: str) -> str:  # noqa: ARG002  (there is one)
        return self.physical_resource_id

    @property
    def config(self) -> dict[str, Any]:
        """What was deployed, with all references filled in."""
        return dict(self.properties[self.CONFIG])

    def delete(self, *_: str) -> None:
        """There is nothing else to remove."""


class DistributionModel(_StoredModel, CloudFormationModel):
    """Ref is the distribution's id."""

    TYPE = "AWS::CloudFront::Distribution"
    ATTRIBUTES = ("DomainName", "Id")
    CONFIG = "DistributionConfig"

    def attribute(self, name: str) -> str:
        id_ = self.physical_resource_id
        return id_ if name == "Id" else f"{id_.lower()}.cloudfront.net"


class OriginAccessControlModel(_StoredModel, CloudFormationModel):
    """Ref is its id. Nothing is signed here: the edge reads the bucket as its owner."""

    TYPE = "AWS::CloudFront::OriginAccessControl"
    ATTRIBUTES = ("Id",)
    CONFIG = "OriginAccessControlConfig"


class CachePolicyModel(_StoredModel, CloudFormationModel):
    """Ref is its id."""

    TYPE = "AWS::CloudFront::CachePolicy"
    ATTRIBUTES = ("Id",)
    CONFIG = "CachePolicyConfig"


class ResponseHeadersPolicyModel(_StoredModel, CloudFormationModel):
    """Ref is its id."""

    TYPE = "AWS::CloudFront::ResponseHeadersPolicy"
    ATTRIBUTES = ("Id",)
    CONFIG = "ResponseHeadersPolicyConfig"
