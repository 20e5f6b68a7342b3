"""Dynamic references of CloudFormation: values that a template only points at.

Those of Secrets Manager, whole secrets in their current version:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html
"""

import re
from typing import Any, Final

from moto.cloudformation import parsing
from moto.cloudformation.exceptions import ValidationError
from moto.core.exceptions import JsonRESTError
from moto.secretsmanager.models import secretsmanager_backends

from local.emulated_aws.patching import Patch

_REFERENCE: Final = re.compile(r"\{\{resolve:([^}]*)\}\}")
_SECRET: Final = re.compile(
    r"secretsmanager:(arn:(?:[^:]*:){5}[^:]+|[^:]+)(?::SecretString)?:{0,3}"
)
_parse_resource = parsing.parse_resource


def patches() -> tuple[Patch, ...]:
    """Return the patch that fills the values in before a resource is created or updated."""
    return (Patch(parsing, "parse_resource", _parse_and_resolve),)


def _parse_and_resolve(resource_json: dict[str, Any], resources_map: Any) -> Any:
    parsed = _parse_resource(resource_json, resources_map)
    if parsed is None:
        return None
    model, resource, kind = parsed
    account, region = resources_map["AWS::AccountId"], resources_map["AWS::Region"]
    # Of a resource only: the stack keeps its template, and what describes it, as they are.
    properties = _resolved(resource["Properties"], account, region)
    return model, {**resource, "Properties": properties}, kind


def _resolved(value: Any, account: str, region: str) -> Any:
    match value:
        case dict():
            return {key: _resolved(item, account, region) for key, item in value.items()}
        case list():
            return [_resolved(item, account, region) for item in value]
        case str():
            return _REFERENCE.sub(lambda found: _secret(found[1], account, region), value)
    return value


def _secret(reference: str, account: str, region: str) -> str:
    wanted = _SECRET.fullmatch(reference)
    if wanted is None:
        raise ValidationError(message=f"Nothing here resolves {reference}")
    try:
        found = secretsmanager_backends[account][region].get_secret_value(wanted[1], "", "")
    except JsonRESTError as error:
        raise ValidationError(message=f"{reference}: {error.message}") from error
    return str(found["SecretString"])
