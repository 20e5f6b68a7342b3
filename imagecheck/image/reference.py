"""How an image is named: the transports of containers tools.

https://github.com/containers/image/blob/main/docs/containers-transports.5.md
"""

import ipaddress
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from imagecheck.image.hints import hint_for

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
FORMS = (
    "oci:DIR, oci-archive:FILE, docker-archive:FILE, dir:DIR or"
    " docker://HOST[:PORT]/REPOSITORY@sha256:..."
)
DOCKER_HUB = "docker.io"
# https://github.com/distribution/reference/blob/main/reference.go has the grammar of these three.
_HOST = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?")
_REPOSITORY = re.compile(
    r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*"
)
# Of a path on Windows: C:\image. Nobody would call a folder and its tag so on another system.
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html
_PRIVATE_ECR = re.compile(r"([0-9]{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?")


FileTransport = Literal["oci", "oci-archive", "docker-archive", "dir"]


class InvalidReferenceError(ValueError):
    """The text names no image; the message says what would."""


class PrivateEcr(NamedTuple):
    """Where a private ECR repository is."""

    account: str
    region: str


@dataclass(frozen=True)
class FileReference:
    """An image in a folder or file. ``tag`` or ``digest`` says which, where there are several."""

    transport: FileTransport
    path: Path
    tag: str | None = None
    digest: str | None = None

    def __str__(self) -> str:
        """As it is written on the command line."""
        return f"{self.transport}:{self.path}" + _suffix(self.tag, self.digest)


@dataclass(frozen=True)
class RegistryReference:
    """An image in a registry, by tag or by digest; the digest decides where there are both."""

    host: str
    """With the port, where it is not the protocol's own."""
    repository: str
    tag: str | None = None
    digest: str | None = None

    def __str__(self) -> str:
        """As it is written on the command line."""
        return f"docker://{self.host}/{self.repository}" + _suffix(self.tag, self.digest)

    @property
    def private_ecr(self) -> PrivateEcr | None:
        """The account and Region, where this is a private ECR registry."""
        match = _PRIVATE_ECR.fullmatch(self.host)
        return PrivateEcr(match[1], match[2]) if match else None

    @property
    def is_loopback(self) -> bool:
        """Whether the registry is on this machine: the only place where plain HTTP will do."""
        name = re.sub(r":[0-9]+$", "", self.host).strip("[]")
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return name == "localhost"


Reference = FileReference | RegistryReference


def parse_reference(text: str) -> Reference:
    """Read the name of an image.

    Raises:
        InvalidReferenceError: it has none of the forms in ``FORMS``.

    """
    transport, colon, rest = text.partition(":")
    if transport == "docker" and rest.startswith("//"):
        return _registry(text, rest.removeprefix("//"))
    if colon and rest:
        match transport:
            case "oci" | "oci-archive" | "docker-archive":
                return _file(transport, rest)
            case "dir":
                return FileReference("dir", Path(rest))
    # Where there is an '@', what stands before it may be a password, so it is not repeated.
    subject = "this" if "@" in text else repr(text)
    raise InvalidReferenceError(f"{subject} names no image{hint_for(text)}; one is named {FORMS}")


def _registry(text: str, rest: str) -> RegistryReference:
    name, at, digest = rest.partition("@")
    if at and not DIGEST.fullmatch(digest):
        # What stands there may be a password, so it is not repeated.
        raise InvalidReferenceError(
            "behind '@' comes a digest, 'sha256:' and 64 lower-case hexadecimal digits; credentials"
            " are those of docker login"
        )
    host, path = _host_and_path(name)
    repository, colon, tag = path.partition(":")
    if not _HOST.fullmatch(host) or not _REPOSITORY.fullmatch(repository):
        raise InvalidReferenceError(f"{text!r} is not docker://HOST[:PORT]/REPOSITORY@sha256:...")
    if colon and not _TAG.fullmatch(tag):
        raise InvalidReferenceError(f"{text!r}: {tag!r} is not a tag")
    if not tag and not digest:
        raise InvalidReferenceError(
            f"{text!r} says neither digest nor tag; add the digest: {text}@sha256:..."
        )
    return RegistryReference(host, repository, tag or None, digest or None)


def _host_and_path(name: str) -> tuple[str, str]:
    """Tell the host from the repository, as Docker does: without one it is Docker Hub's.

    https://github.com/distribution/reference/blob/main/normalize.go
    """
    host, slash, path = name.partition("/")
    is_host = bool(re.search(r"[.:]", host)) or host == "localhost" or host != host.lower()
    if slash and is_host:
        return host, path
    return DOCKER_HUB, name if slash else f"library/{name}"


def _file(transport: FileTransport, rest: str) -> FileReference:
    path, at, digest = rest.rpartition("@")
    tag = ""
    if at and DIGEST.fullmatch(digest):
        if transport == "docker-archive":
            raise InvalidReferenceError("an archive of docker save has no digests, only tags")
    else:
        digest = ""
        path, tag = _split_tag(rest)
    if not path:
        raise InvalidReferenceError(f"{transport}:{rest} names no file")
    return FileReference(transport, Path(path), tag or None, digest or None)


def _split_tag(rest: str) -> tuple[str, str]:
    """Tell the file from the tag. Both can have colons, so what exists decides."""
    drive = _DRIVE.match(rest)
    start = drive[0] if drive else ""
    parts = rest.removeprefix(start).split(":")
    for count in range(len(parts), 0, -1):
        path, tag = start + ":".join(parts[:count]), ":".join(parts[count:])
        if os.path.lexists(path):
            return path, tag
    return start + parts[0], ":".join(parts[1:])


def _suffix(tag: str | None, digest: str | None) -> str:
    return (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")
