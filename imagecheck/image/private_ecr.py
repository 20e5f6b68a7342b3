"""The host names of private ECR registries.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html
"""

import re
from typing import Final, NamedTuple

_ACCOUNT: Final = r"[0-9]{12}"
_REGION: Final = r"[a-z0-9-]+"
_SUFFIX: Final = r"amazonaws\.com(?:\.cn)?"
_HOST: Final = re.compile(rf"({_ACCOUNT})\.dkr\.ecr\.({_REGION})\.{_SUFFIX}")
# ${...} is what CloudFormation fills in: the account, the Region, the suffix of the partition.
_LATER: Final = r"\$\{[^}]+\}"
HOST_IN_TEMPLATE: Final = (
    rf"(?:{_ACCOUNT}|{_LATER})\.dkr\.ecr\.(?:{_REGION}|{_LATER})\.(?:{_SUFFIX}|{_LATER})"
)
"""A regular expression, to be part of others: the host in a template, where parts may be unknown.
"""


class PrivateEcr(NamedTuple):
    """An account's registry in a Region."""

    account: str
    region: str

    @property
    def host(self) -> str:
        """Its name in the standard partition of AWS."""
        return f"{self.account}.dkr.ecr.{self.region}.amazonaws.com"


def parse_host(host: str) -> PrivateEcr | None:
    """Return the registry that a host name stands for; None where it is not a private ECR."""
    match = _HOST.fullmatch(host)
    return PrivateEcr(match[1], match[2]) if match else None
