"""CloudFormation models of resource types that moto lacks or has only in part."""

from moto.awslambda.models import LambdaStorage
from moto.cloudformation import parsing

from local.emulated_aws.dynamodb import Tables
from local.emulated_aws.patching import Patch
from local.emulated_aws.resources import (  # noqa: F401  (moto finds the classes once they exist)
    alias,
    api_gateway,
    budget,
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
    secret,
    table,
    web_acl,
)


def patches(tables: Tables) -> tuple[Patch, ...]:
    """Return patches: versions as Lambda publishes them, tables, and CDK's custom resources."""
    return (
        Patch(table.TableModel, "dynamodb", tables),
        Patch(LambdaStorage, "publish_version", function.publish_version),
        *cdk_custom.patches(),
    )


def register() -> None:
    """Let moto find the models of these modules."""
    for cached in (parsing.get_model_list, parsing.get_model_map, parsing.get_name_type_map):
        cached.cache_clear()
