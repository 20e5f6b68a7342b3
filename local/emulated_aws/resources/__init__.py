"""CloudFormation models of the resource types that moto lacks, or has without what we need."""

from moto.awslambda.models import LambdaStorage
from moto.cloudformation import parsing

from local.emulated_aws.mending import Mend
from local.emulated_aws.resources import (  # noqa: F401  (moto finds the classes once they exist)
    alias,
    api_gateway,
    cdk_custom,
    cloudfront,
    deployment,
    function,
    identity_provider,
    layer,
    monitoring,
    parameter,
    permission,
    policies,
)


def mends() -> tuple[Mend, ...]:
    """Publish versions as Lambda does, and know CDK's custom resources."""
    return (
        Mend(LambdaStorage, "publish_version", function.publish_version),
        *cdk_custom.mends(),
    )


def register() -> None:
    """Make moto look for its models again, now that those of these modules exist."""
    for cached in (parsing.get_model_list, parsing.get_model_map, parsing.get_name_type_map):
        cached.cache_clear()
