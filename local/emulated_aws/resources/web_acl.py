"""AWS WAF's web ACLs, stored as they are deployed; ``local.client_limit`` reads them."""
# ruff: noqa: D102  (the methods are moto's protocol, documented once in Model)

import uuid
from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.core.common_models import CloudFormationModel

from local.emulated_aws.resources.model import Model, Properties

_CLOUDFRONT_REGION = "us-east-1"


class WebAclModel(Model, CloudFormationModel):
    """Ref is name, id and scope; moto's own cannot be made by CloudFormation."""

    TYPE = "AWS::WAFv2::WebACL"
    NAME_PROPERTY = "Name"
    ATTRIBUTES = ("Arn", "Id")
    config: Properties

    def put(self, name: str, properties: Properties) -> None:
        """Raises ValidationError with WAF's message for CloudFront's scope in another Region."""
        if properties["Scope"] == "CLOUDFRONT" and self.region != _CLOUDFRONT_REGION:
            raise ValidationError(
                message="Error reason: The scope is not valid., field: SCOPE_VALUE, parameter:"
                " CLOUDFRONT (Service: Wafv2, Status Code: 400)"
            )
        self.config = properties
        if not self.physical_resource_id:
            self.id = str(uuid.uuid4())
            self.physical_resource_id = f"{name}|{self.id}|{properties['Scope']}"

    def attribute(self, name: str) -> str:
        if name == "Id":
            return self.id
        acl, _, scope = self.physical_resource_id.split("|")
        kind = "global" if scope == "CLOUDFRONT" else "regional"
        return f"arn:aws:wafv2:{self.region}:{self.account_id}:{kind}/webacl/{acl}/{self.id}"

    def delete(self, *_: Any) -> None:
        """There is nothing else to remove."""
