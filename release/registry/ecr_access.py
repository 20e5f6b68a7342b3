"""Access to private ECR over the distribution API: a password in exchange for AWS credentials.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html
"""

import base64
from typing import Any

from urllib3.exceptions import LocationParseError
from urllib3.util import Url, parse_url

from imagecheck.errors import FailedError
from imagecheck.image.authorization import Access
from imagecheck.image.aws import aws_errors
from imagecheck.image.credentials import Password
from imagecheck.image.reference import RegistryReference


def ecr_access(ecr: Any, reference: RegistryReference, actions: str) -> Access:
    """Return the way to a private ECR's repository; ``ecr`` is boto3's client for its Region.

    The registry is where AWS says that it is, when that is no ECR: as in an emulated account.

    Raises FailedError when AWS gives no password.
    """
    what = f"{reference.host}/{reference.repository}"
    with aws_errors(what):
        (given, *_) = ecr.get_authorization_token()["authorizationData"]
    user, colon, secret = _decoded(given["authorizationToken"]).partition(":")
    registry = _parsed(given["proxyEndpoint"])
    if not (user and colon and registry.host):
        raise FailedError(f"{what}: AWS answers, but with no password for a registry")
    if RegistryReference(registry.host, "").private_ecr:
        # The account's own, but the password is good for others too.
        registry = parse_url(f"https://{reference.host}")
    return Access(reference.host, registry, reference.repository, actions, Password(user, secret))


def _decoded(token: str) -> str:
    try:
        return base64.b64decode(token, validate=True).decode()
    except ValueError:
        return ""


def _parsed(endpoint: str) -> Url:
    try:
        return parse_url(endpoint)
    except LocationParseError:
        return Url()
