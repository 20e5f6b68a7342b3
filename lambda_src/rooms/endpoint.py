"""Where DynamoDB is, and with which credentials: what Lambda's environment variables say.

They are read once, since Lambda never changes them in a running environment:
https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

# The partitions that are not `amazonaws.com`, by how the names of their Regions begin.
_SUFFIXES: Final = {
    "cn-": "amazonaws.com.cn",
    "eusc-": "amazonaws.eu",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "us-isof-": "csp.hci.ic.gov",
    "eu-isoe-": "cloud.adc-e.uk",
}


class Endpoint(NamedTuple):
    """An address of DynamoDB, and the Region that requests to it are signed for."""

    scheme: str
    host: str
    port: int
    region: str

    @property
    def authority(self) -> str:
        """The value of a request's ``Host``: a scheme's own port is left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


class Credentials(NamedTuple):
    """What requests are signed with; ``session_token`` is "" for those that do not expire."""

    access_key_id: str
    secret_access_key: str
    session_token: str


class MissingVariableError(Exception):
    """The environment lacks a variable. The function cannot start."""


_PORTS: Final = {"http": 80, "https": 443}


def endpoint(environment: Mapping[str, str]) -> Endpoint:
    """Return the endpoint of the Region, or the one that is named in its place.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html

    Raises:
        MissingVariableError: no Region is named.
        ValueError: the URL has more than scheme, host and port.

    """
    region = _one_of(environment, "AWS_DEFAULT_REGION", "AWS_REGION")
    for name in ("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL"):
        if url := environment.get(name):
            return _named(name, url, region)
    return Endpoint("https", f"dynamodb.{region}.{_suffix(region)}", 443, region)


def credentials(environment: Mapping[str, str]) -> Credentials:
    """Return the credentials of the function's role.

    Raises:
        MissingVariableError: they are not in the environment. With SnapStart they never are.

    """
    return Credentials(
        _one_of(environment, "AWS_ACCESS_KEY_ID"),
        _one_of(environment, "AWS_SECRET_ACCESS_KEY"),
        environment.get("AWS_SESSION_TOKEN", ""),
    )


def _named(variable: str, url: str, region: str) -> Endpoint:
    parts = urlsplit(url)
    rest = (parts.username, parts.password, parts.path.rstrip("/"), parts.query, parts.fragment)
    if parts.scheme not in _PORTS or not parts.hostname or any(rest):
        # The URL may hold a password.
        raise ValueError(f"{variable} is not https://HOST or http://HOST:PORT")
    return Endpoint(parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme], region)


def _one_of(environment: Mapping[str, str], *names: str) -> str:
    for name in names:
        if value := environment.get(name):
            return value
    raise MissingVariableError(f"{' or '.join(names)} is not set, which Lambda does")


def _suffix(region: str) -> str:
    return next(
        (suffix for start, suffix in _SUFFIXES.items() if region.startswith(start)), "amazonaws.com"
    )
