"""What to do about the reason codes of a function's state and of its last change.

https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html
"""

from typing import Final

from release.diagnosis.cause import Remedy
from release.diagnosis.remedies import (
    aws_command,
    compare_with_stack,
    release_command,
    revert_drift,
)
from release.diagnosis.version_facts import VersionFacts

_PASSES: Final = (
    "DependencyError",
    "EC2RequestLimitExceeded",
    "InsufficientCapacity",
    "InternalError",
)
_LIMITS: Final = (
    "CapacityProviderScalingLimitExceeded",
    "ServiceQuotaExceededException",
    "VcpuLimitExceeded",
)
_OUTSIDE: Final = (
    "DisallowedByVpcEncryptionControl",
    "EFS",
    "EniLimitExceeded",
    "InvalidSecurityGroup",
    "InvalidSubnet",
    "SubnetOutOfIPAddresses",
)
_CODE: Final = ("FunctionError", "InvalidRuntime", "InvalidZipFileException")


def remedies_for(version: VersionFacts, code: str) -> tuple[Remedy, ...]:
    """Return what to do: only what passes by itself is to be deployed again as it is."""
    stage, stack = version.stage, version.stage.names.rooms_stack
    if code in _PASSES:
        return (
            Remedy(
                "wait some minutes, and deploy again: this is AWS's own fault, and passes",
                release_command("deploy", stage),
            ),
        )
    if code in _LIMITS:
        return (
            Remedy(
                "ask for a higher limit: the reason names which",
                aws_command("service-quotas", "list-service-quotas", stage, service_code="lambda"),
            ),
        )
    if code.startswith(_OUTSIDE):
        return (
            compare_with_stack(stage, "the function was put into a VPC or given a file system"),
            revert_drift(stage, stack),
        )
    if code.startswith(_CODE):
        return (
            Remedy(
                "find out why it does not start: the same code fails in the same way again",
                release_command("boot", stage),
            ),
        )
    return (
        Remedy("change what the reason names: without that the same change fails again"),
        compare_with_stack(stage, "the function was changed"),
    )
