"""The credentials that `docker login` has stored for a registry.

https://docs.docker.com/reference/cli/docker/login/#credential-stores
"""

import base64
import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec

from imagecheck.image.errors import ImageReadError

HELPER_TIMEOUT_SECONDS = 60
"""A helper may ask a person to unlock a key chain."""

# Docker Hub goes by several names; `docker login` stores the first, `skopeo login` the second.
_DOCKER_HUB = ("index.docker.io", "docker.io", "registry-1.docker.io")
_DOCKER_HUB_KEY = "https://index.docker.io/v1/"
# https://github.com/docker/docker-credential-helpers/blob/master/credentials/error.go
_NOT_FOUND = "credentials not found in native keychain"


@dataclass(frozen=True)
class Password:
    """A user's name and password. The password is shown nowhere."""

    username: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class IdentityToken:
    """What stands for a user and buys short-lived tokens. It is shown nowhere."""

    secret: str = field(repr=False)


Credentials = Password | IdentityToken


def stored_credentials(host: str) -> Credentials | None:
    """Return what ``$DOCKER_CONFIG/config.json`` (``~/.docker``) has for a registry's host.

    A helper (``credHelpers``, then ``credsStore``) is asked before the file's own ``auths``.

    Raises:
        ImageReadError: the file is malformed, or its helper does not work.

    """
    file = _file()
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ImageReadError(f"{file} cannot be read: {error.strerror}") from error
    names = _DOCKER_HUB if host in _DOCKER_HUB else (host,)
    try:
        config = msgspec.json.decode(content, type=_Config)
        helper = _checked(_find(config.cred_helpers, names) or config.creds_store)
        auth = _decoded(_find(config.auths, names))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, _MalformedError):
        # The decoder's own words could quote what is in the file.
        raise ImageReadError(
            f"{file} is malformed", hint="correct it, or remove it and log in again"
        ) from None
    key = _DOCKER_HUB_KEY if host in _DOCKER_HUB else host
    return (_from_helper(helper, key, file) if helper else None) or auth


_Entry = TypeVar("_Entry")


class _MalformedError(Exception):
    pass


class _Auth(msgspec.Struct, frozen=True):
    auth: str | None = None
    identity_token: str | None = msgspec.field(name="identitytoken", default=None)


class _Config(msgspec.Struct, frozen=True, rename="camel"):
    auths: dict[str, _Auth] | None = None
    cred_helpers: dict[str, str] | None = None
    creds_store: str | None = None


class _Answer(msgspec.Struct, frozen=True, rename="pascal"):
    username: str
    secret: str


def _file() -> Path:
    folder = os.environ.get("DOCKER_CONFIG")
    return (Path(folder) if folder else Path.home() / ".docker") / "config.json"


def _find(entries: dict[str, _Entry] | None, names: tuple[str, ...]) -> _Entry | None:
    """Find a host's entry. Keys may be URLs: https://index.docker.io/v1/ is one of old."""
    entries = entries or {}
    by_host = {re.sub(r"^https?://|/.*$", "", key): entry for key, entry in entries.items()}
    by_host |= entries
    return next((by_host[name] for name in names if name in by_host), None)


def _checked(helper: str | None) -> str | None:
    """Let no name of a helper lead to a program elsewhere."""
    if helper and not re.fullmatch(r"[\w.-]+", helper):
        raise _MalformedError
    return helper


def _decoded(entry: _Auth | None) -> Credentials | None:
    if entry is None:
        return None
    if entry.identity_token:
        return IdentityToken(entry.identity_token)
    if not entry.auth:
        return None
    try:
        pair = base64.b64decode(entry.auth, validate=True).decode()
    except ValueError:
        raise _MalformedError from None
    username, colon, password = pair.partition(":")
    if not username or not colon:
        raise _MalformedError
    return Password(username, password)


def _from_helper(name: str, key: str, file: Path) -> Credentials | None:
    """Ask a helper. What it prints is never repeated: it may hold the secret.

    https://docs.docker.com/reference/cli/docker/login/#credential-helper-protocol
    """
    program = f"docker-credential-{name}"
    try:
        done = subprocess.run(  # noqa: S603  (the program that the user's own configuration names)
            [program, "get"],
            input=key.encode(),
            capture_output=True,
            timeout=HELPER_TIMEOUT_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise ImageReadError(
            f"{program}, which {file} names, is not installed",
            hint="install it, or correct the file",
        ) from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ImageReadError(f"{program}, which {file} names, fails: {_why(error)}") from error
    if done.returncode != 0:
        if done.stdout.strip().decode(errors="replace") == _NOT_FOUND:
            return None
        raise ImageReadError(
            f"{program}, which {file} names, ends with status {done.returncode}",
            hint=f"log in again with `docker login {key}`",
        )
    try:
        answer = msgspec.json.decode(done.stdout, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # The decoder's own words could quote the answer.
        raise ImageReadError(f"{program}, which {file} names, answers no credentials") from None
    if answer.username == "<token>":
        return IdentityToken(answer.secret)
    return Password(answer.username, answer.secret)


def _why(error: OSError | subprocess.TimeoutExpired) -> str:
    if isinstance(error, OSError):
        return str(error.strerror)
    return f"no answer within {HELPER_TIMEOUT_SECONDS} s"
