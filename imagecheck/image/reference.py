"""References to images: the transports of containers tools.

https://github.com/containers/image/blob/main/docs/containers-transports.5.md
"""

import ipaddress
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from imagecheck.errors import UsageError
from imagecheck.image.digest import is_digest
from imagecheck.image.hints import hint_for
from imagecheck.image.private_ecr import PrivateEcr, parse_host

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


FileTransport = Literal["oci", "oci-archive", "docker-archive", "dir"]


class InvalidReferenceError(UsageError):
    """The text is not the name of an image; the hint says what would be."""

    code = "INVALID_REFERENCE"


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
        return parse_host(self.host)

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
    shown = "" if "@" in text else f" {text!r}"
    raise InvalidReferenceError(
        f"invalid image reference{shown}", hint=hint_for(text) or f"write it as {FORMS}"
    )


def _registry(text: str, rest: str) -> RegistryReference:
    name, at, digest = rest.partition("@")
    if at and not is_digest(digest):
        # What stands there may be a password, so it is not repeated.
        raise InvalidReferenceError(
            "invalid image reference: no digest follows the '@'",
            hint="a digest is 'sha256:' and 64 lower-case hexadecimal digits; credentials are those"
            " of `docker login`",
        )
    host, path = _host_and_path(name)
    repository, colon, tag = path.partition(":")
    if not _HOST.fullmatch(host) or not _REPOSITORY.fullmatch(repository):
        raise InvalidReferenceError(
            f"invalid image reference {text!r}",
            hint="write docker://HOST[:PORT]/REPOSITORY@sha256:...",
        )
    if colon and not _TAG.fullmatch(tag):
        raise InvalidReferenceError(f"invalid image reference {text!r}: {tag!r} is not a tag")
    if not tag and not digest:
        raise InvalidReferenceError(
            f"invalid image reference {text!r}: it has neither a digest nor a tag",
            hint=f"add the digest: {text}@sha256:...",
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
    if at and is_digest(digest):
        if transport == "docker-archive":
            raise InvalidReferenceError("an archive of `docker save` has no digests, only tags")
    else:
        digest = ""
        path, tag = _split_tag(rest)
    if not path:
        raise InvalidReferenceError(f"invalid image reference: {transport}:{rest} names no file")
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
