"""Corrections of invalid image references: the first things that people try."""

import os
import re
import tarfile
from pathlib import Path
from typing import Final

from imagecheck.image.digest import DIGEST
from imagecheck.image.private_ecr import PrivateEcr

_SAVE: Final = "run `docker save {0} --output image.tar` and check docker-archive:image.tar"
_BUILD: Final = (
    "run `docker buildx build --provenance=false --output type=oci,dest=image.tar {0}` and check"
    " oci-archive:image.tar"
)
_LAMBDA_ARN = re.compile(r"arn:aws[\w-]*:lambda:[\w-]+:\d+:function:([\w-]+)(?::\S+)?")
_ECR_ARN = re.compile(r"arn:aws[\w-]*:ecr:([\w-]+):(\d+):repository/(\S+)")
_HUB_PAGE = re.compile(r"https?://hub\.docker\.com/(?:_|r)/([\w./-]+)")
_ECR_PAGE = re.compile(r"https?://gallery\.ecr\.aws/([\w./-]+)")
_URL = re.compile(r"https?://([\w.:-]+/[\w.:/-]+)")
_REMOTE_NAME = re.compile(rf"[\w.-]+(?::[0-9]+)?(?:/[\w.-]+)*(?::[\w.-]+)?(?:@{DIGEST})?")
_FROM = re.compile(rb"^\s*FROM\s+\S", re.IGNORECASE | re.MULTILINE)
_MAX_PEEK = 64 * 1024
_MAX_MEMBERS = 100


def hint_for(text: str) -> str | None:
    """Return what to write instead of an invalid reference; None for no idea."""
    if not text or "\0" in text or "\n" in text:
        return None
    found = _of_another_tool(text) or _of_a_page(text) or _of_a_path(text) or _of_a_name(text)
    return found or None


def _of_another_tool(text: str) -> str:
    transport, _, rest = text.partition(":")
    if "@" in rest and not re.search(rf"@{DIGEST}$", rest):
        return ""  # a password, maybe
    match transport:
        case "docker-daemon" if rest:
            return f"save the image of the Docker daemon first: {_SAVE.format(rest)}"
        case "containers-storage" if rest:
            return (
                "save the image of Podman first: run `podman save --format oci-archive --output"
                f" image.tar {rest}` and check oci-archive:image.tar"
            )
        case "docker" if rest:
            return f"an image in a registry is docker://{rest.lstrip('/')}"
    return ""


def _of_a_page(text: str) -> str:
    if match := _LAMBDA_ARN.fullmatch(text):
        return (
            f"this is a function: `aws lambda get-function --function-name {match[1]}"
            " --query Code.ResolvedImageUri` prints its image; put docker:// before it"
        )
    if match := _ECR_ARN.fullmatch(text):
        host = PrivateEcr(account=match[2], region=match[1]).host
        return f"an image of this repository is docker://{host}/{match[3]}@sha256:..."
    if match := _HUB_PAGE.fullmatch(text):
        return f"an image of this page is docker://{match[1].strip('/')}:TAG"
    if match := _ECR_PAGE.fullmatch(text):
        return f"an image of this page is docker://public.ecr.aws/{match[1].strip('/')}:TAG"
    if match := _URL.fullmatch(text):
        return f"write docker://{match[1]} instead of a URL"
    return ""


def _of_a_path(text: str) -> str:
    path = Path(text)
    try:
        if path.is_dir():
            return _of_a_folder(path)
        return _of_a_file(path) if path.is_file() else ""
    except (OSError, ValueError):
        return ""


def _of_a_folder(path: Path) -> str:
    for transport, file in (("oci", "index.json"), ("dir", "manifest.json")):
        if (path / file).is_file():
            return f"the image in this folder is {transport}:{path}"
    if (path / "Dockerfile").is_file():
        return f"build the image of this folder first: {_BUILD.format(path)}"
    return "this folder holds no image"


def _of_a_file(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(_MAX_PEEK)
    if _FROM.search(start) and b"\0" not in start:
        build = _BUILD.format(f"--file {path} {path.parent}")
        return f"this is a Dockerfile; build its image first: {build}"
    names = _names_in(path)
    if "manifest.json" in names:
        return f"the image in this archive is docker-archive:{path}"
    if "index.json" in names:
        return f"the image in this archive is oci-archive:{path}"
    return "this file holds no image"


def _names_in(path: Path) -> set[str]:
    """Return the names of the first members of an archive."""
    names: set[str] = set()
    try:
        with tarfile.open(path) as archive:
            while len(names) < _MAX_MEMBERS and (member := archive.next()):
                names.add(os.path.normpath(member.name))
    except (tarfile.TarError, OSError, EOFError, ValueError):
        pass
    return names


def _of_a_name(text: str) -> str:
    if not _REMOTE_NAME.fullmatch(text) or os.path.lexists(text):
        return ""
    if re.search(r"[/:@.]", text):
        return f"an image in a registry is docker://{text}"
    return f"an image of Docker Hub is docker://{text}:latest, and one in a folder oci:{text}"
