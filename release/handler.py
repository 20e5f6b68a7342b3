"""The handler that an image starts, as its command names it."""

import posixpath
from dataclasses import dataclass
from typing import Literal

from release.image.filesystem import FileSystem
from release.subject import AWS_ENTRYPOINT, Subject


@dataclass(frozen=True)
class Handler:
    """What the runtime client is told to load."""

    name: str
    """Such as ``rooms.main.handler``."""
    language: Literal["python", "node"]


def handler_of(subject: Subject) -> Handler | None:
    """Return the handler; None when nothing that is known here would load one."""
    files = subject.files
    argv = subject.start.argv
    if not files or not argv:
        return None
    if argv[0] == AWS_ENTRYPOINT:
        language = _language_of_base(files)
        return Handler(argv[1], language) if language and len(argv[1:]) == 1 else None
    for number, argument in enumerate(argv[:-1]):
        if posixpath.basename(argument) == "awslambdaric":
            return Handler(argv[number + 1], "python")
        if posixpath.basename(argument) == "aws-lambda-ric":
            return Handler(argv[number + 1], "node")
    return None


def _language_of_base(files: FileSystem) -> Literal["python", "node"] | None:
    folder = files.find("/var/lang/bin")
    for name in folder.children if folder else ():
        if name.startswith("python3"):
            return "python"
        if name == "node":
            return "node"
    return None
