"""The OIDC identity providers of an account."""
# ruff: noqa: D102  (the methods are moto's protocol, documented once in Model)

from moto.core.common_models import CloudFormationModel
from moto.iam.exceptions import EntityAlreadyExists
from moto.iam.models import iam_backends
from moto.utilities.utils import get_partition

from local.emulated_aws.resources.model import Model, Properties


class OidcProviderModel(Model, CloudFormationModel):
    """Ref is the provider's ARN. An account has one for each URL."""

    TYPE = "AWS::IAM::OIDCProvider"
    ATTRIBUTES = ("Arn",)

    def put(self, name: str, properties: Properties) -> None:  # noqa: ARG002  (it has no name)
        backend = iam_backends[self.account_id][get_partition(self.region)]
        if self.physical_resource_id:
            backend.delete_open_id_connect_provider(self.physical_resource_id)
        try:
            provider = backend.create_open_id_connect_provider(
                properties["Url"],
                properties.get("ThumbprintList", []),
                properties.get("ClientIdList", []),
                [],
            )
        except EntityAlreadyExists:
            # moto says that it does not know why.
            raise EntityAlreadyExists(
                f"Provider with url {properties['Url']} already exists."
            ) from None
        self.physical_resource_id = provider.arn

    def attribute(self, name: str) -> str:  # noqa: ARG002  (there is one)
        return self.physical_resource_id

    def delete(self, *_: str) -> None:
        backend = iam_backends[self.account_id][get_partition(self.region)]
        backend.delete_open_id_connect_provider(self.physical_resource_id)
