"""The answer to a registry's 401: the Authorization header that it asks for.

https://distribution.github.io/distribution/spec/auth/token/ and, with an identity token,
https://distribution.github.io/distribution/spec/auth/oauth/
"""

import base64
import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

import msgspec
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import LocationParseError
from urllib3.util import Url, parse_url

from imagecheck.image.credentials import Credentials, IdentityToken, Password, stored_credentials
from imagecheck.image.errors import ImageReadError
from imagecheck.image.http import HttpClient, refuse_plain_http
from imagecheck.image.http_body import read_document
from imagecheck.image.reference import RegistryReference

_MAX_ANSWER_BYTES = 1024 * 1024
_CLIENT_ID = "lambda-image-check"
_OK = 200
_REFUSALS = (400, 401, 403)
# https://www.rfc-editor.org/rfc/rfc9110#name-www-authenticate
_CHALLENGE_PART = re.compile(
    r"""(?<![\w-])([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))|(?<![\w-])([\w-]+)(?=\s|,|$)"""
)
# A header can hold nothing else, and http.client would quote the token in its error.
_TOKEN = re.compile(r"[\x21-\x7e]+")


class Challenge(NamedTuple):
    """One way in, as ``WWW-Authenticate`` offers it."""

    scheme: str
    """In lower case."""
    parameters: Mapping[str, str]


class Access(NamedTuple):
    """Which repository is to be read or written."""

    host: str
    """As in the image's reference, which is how `docker login` knows the registry."""
    registry: Url
    """Where it is really asked."""
    repository: str
    actions: str = "pull"
    """The actions asked for: https://distribution.github.io/distribution/spec/auth/scope/"""
    credentials: Credentials | None = None
    """In place of those that `docker login` has stored."""

    @property
    def scope(self) -> str:
        """What a token has to be good for."""
        return f"repository:{self.repository}:{self.actions}"


def authorization(challenges: str, access: Access, http: HttpClient) -> str:
    """Return what the Authorization header has to be for this registry to let us in.

    Stored credentials are used where there are some; else a token is asked for anonymously. They
    go to the registry, or to the token server that it names, and never over plain HTTP to another
    machine.

    Raises:
        ImageReadError: there are no credentials, they are refused, or no token is given.

    """
    offered = dict(parse_challenges(challenges))
    credentials = access.credentials or stored_credentials(access.host)
    if "bearer" in offered:
        return "Bearer " + _token(offered["bearer"], access, credentials, http)
    if "basic" not in offered:
        raise ImageReadError(f"{access.host} asks for a login of a kind that is not known")
    if not isinstance(credentials, Password):
        raise ImageReadError(
            f"{access.host} wants a user and a password", hint=login_hint(access.host)
        )
    return _basic(credentials)


def parse_challenges(header: str) -> list[Challenge]:
    """Read the header ``WWW-Authenticate``, which may offer several ways in."""
    found: list[Challenge] = []
    parameters: dict[str, str] = {}
    for name, quoted, bare, scheme in _CHALLENGE_PART.findall(header):
        if scheme:
            parameters = {}
            found.append(Challenge(scheme.lower(), parameters))
        else:
            parameters[name.lower()] = re.sub(r"\\(.)", r"\1", quoted) or bare
    return found


def login_hint(host: str) -> str:
    """Return how to log in, the next action after a refusal."""
    if host == "public.ecr.aws":
        return (
            "log in with `aws ecr-public get-login-password --region us-east-1"
            f" | docker login --username AWS --password-stdin {host}`,"
            f" or drop credentials that are too old with `docker logout {host}`"
        )
    if RegistryReference(host, "").private_ecr:
        # https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
        return (
            "allow it in the policy of the AWS credentials: ecr:BatchGetImage,"
            " ecr:GetDownloadUrlForLayer, ecr:BatchCheckLayerAvailability and, to push,"
            " ecr:InitiateLayerUpload, ecr:UploadLayerPart, ecr:CompleteLayerUpload, ecr:PutImage"
        )
    return (
        f"log in with `docker login {host}`"
        f" or `skopeo login --authfile ~/.docker/config.json {host}`"
    )


class _Answer(msgspec.Struct, frozen=True):
    token: str = ""
    access_token: str = ""


def _token(
    parameters: Mapping[str, str], access: Access, credentials: Credentials | None, http: HttpClient
) -> str:
    try:
        realm = parse_url(parameters.get("realm", ""))
    except LocationParseError:
        realm = Url()
    if not realm.host:
        raise ImageReadError(f"{access.host} names no server that gives tokens")
    refuse_plain_http(realm, access.registry)
    scopes = parameters.get("scope", "").split() or [access.scope]
    # What is asked first needs less than what follows, and one token is for all of it.
    if access.actions != "pull" and access.scope not in scopes:
        scopes.append(access.scope)
    response = _ask(realm, parameters.get("service", ""), scopes, credentials, http)
    if response.status in _REFUSALS:
        response.close()
        raise ImageReadError(
            f"{realm.netloc}, which gives the tokens for {access.host}, refuses"
            f" {_who(credentials)} with HTTP {response.status}",
            hint=login_hint(access.host),
        )
    if response.status != _OK:
        response.close()
        raise ImageReadError(f"{realm.netloc} gives no token: it answers HTTP {response.status}")
    try:
        content = read_document(response, str(realm.netloc), _MAX_ANSWER_BYTES, http.budget)
        answer = msgspec.json.decode(content, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        answer = _Answer()
    token = answer.token or answer.access_token
    if not _TOKEN.fullmatch(token):
        raise ImageReadError(f"{realm.netloc} answers, but with no token")
    return token


def _ask(
    realm: Url, service: str, scopes: list[str], credentials: Credentials | None, http: HttpClient
) -> BaseHTTPResponse:
    """Ask the token server. A redirect is not followed: credentials are for who was named."""
    if isinstance(credentials, IdentityToken):
        form = {
            "grant_type": "refresh_token",
            "service": service,
            "client_id": _CLIENT_ID,
            "scope": " ".join(scopes),
            "refresh_token": credentials.secret,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return http.send("POST", realm.url, headers, urlencode(form).encode())
    query = parse_qsl(realm.query or "", keep_blank_values=True)
    query += [("service", service)] if service else []
    query += [("scope", one) for one in scopes]
    url = realm._replace(query=urlencode(query), fragment=None).url
    return http.send("GET", url, {"Authorization": _basic(credentials)} if credentials else {})


def _basic(credentials: Password) -> str:
    pair = f"{credentials.username}:{credentials.secret}".encode()
    return "Basic " + base64.b64encode(pair).decode()


def _who(credentials: Credentials | None) -> str:
    return "the stored credentials" if credentials else "who has not logged in"
