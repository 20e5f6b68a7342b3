"""The handler that an image starts, and the runtime client that is to load it."""

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from imagecheck.image.filesystem import FileSystem
from imagecheck.start.launch import Process

if TYPE_CHECKING:
    from imagecheck.subject import Subject

AWS_ENTRYPOINT = "/lambda-entrypoint.sh"
"""What AWS's base images start; it takes the handler's name and runs ``AWS_BOOTSTRAP``."""
AWS_BOOTSTRAP = "/var/runtime/bootstrap"

Language = Literal["python", "node", "ruby", "java"]


@dataclass(frozen=True)
class Handler:
    """What a runtime client is told to load."""

    name: str
    """Such as ``rooms.main.handler``."""
    language: Language
    process: Process
    """The interpreter that runs the client; its working directory and its environment."""
    client: str = ""
    """Where the client's package is in the image, such as ``/app/node_modules/aws-lambda-ric``;
    empty where it is that of AWS's base image, in /var/runtime."""
    named_by: str = "CMD"
    """What names it: CMD, or a variable such as DD_LAMBDA_HANDLER."""

    @property
    def is_on_aws_base(self) -> bool:
        """Whether AWS's own bootstrap loads it."""
        return not self.client


def handler_of(subject: "Subject") -> Handler | str:
    """Return the handler, or why none is judged: a clause for the report."""
    files = subject.files
    launch = subject.launch
    if not files or launch is None:
        return "nothing is started"
    process = launch.last
    argv = process.argv
    if argv[0] == AWS_ENTRYPOINT:
        language = _language_of_base(files)
        if language and len(argv) == 2:  # noqa: PLR2004  (the program and one name)
            return Handler(argv[1], language, process)
        return "AWS's entrypoint is given no one name"
    for number, argument in enumerate(argv[:-1]):
        if posixpath.basename(argument) == "awslambdaric":
            return Handler(argv[number + 1], "python", process, client=argument)
        if posixpath.basename(argument) == "aws-lambda-ric":
            return Handler(argv[number + 1], "node", process, client=argument)
    return f"{argv[0]} is no program that is known to load one"


def _language_of_base(files: FileSystem) -> Language | None:
    folder = files.find("/var/lang/bin")
    for name in folder.children if folder else ():
        if name.startswith("python3"):
            return "python"
        if name == "node":
            return "node"
    return None
