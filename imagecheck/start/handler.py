"""The handler that an image starts, and the runtime client that is to load it."""

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from imagecheck.image.filesystem import FileSystem
from imagecheck.start.aws_base import AWS_BOOTSTRAP, AWS_ENTRYPOINT, Language, language_of_base
from imagecheck.start.launch import Process
from imagecheck.start.options import node_script, python_program
from imagecheck.start.shell.state import UNKNOWN

if TYPE_CHECKING:
    from imagecheck.subject import Subject

__all__ = ["AWS_BOOTSTRAP", "AWS_ENTRYPOINT", "Handler", "Language", "handler_of"]

_RUBY_CLIENT: Final = ("aws_lambda_ric", "aws_lambda_ric.rb")
JAVA_CLIENT: Final = "com.amazonaws.services.lambda.runtime.api.client.AWSLambda"


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
    """Return the handler, or why none is judged: a clause for the report.

    Raises ImageReadError when a script on the way to it cannot be read.
    """
    files = subject.files
    launch = subject.launch
    if not files or launch is None:
        return "nothing is started"
    if launch.last.chain.cause or launch.ended:
        return "the start fails before it"
    if launch.stopped:
        return f"what starts it is not known: {launch.stopped}"
    process = launch.last
    words = process.words
    found = _on_aws_base(files, process) or _loaded(files, process, words)
    if isinstance(found, Handler) and (UNKNOWN in found.name or not found.name):
        return "its name is known only on Lambda"
    return found or f"{process.argv[0]} is not a program that is known to load one"


def _on_aws_base(files: FileSystem, process: Process) -> Handler | str | None:
    if process.argv[0] != AWS_BOOTSTRAP:
        return None
    language = language_of_base(files)
    name = process.environment.get("_HANDLER", UNKNOWN)
    return Handler(name, language, process) if language else None


def _loaded(files: FileSystem, process: Process, words: tuple[str, ...]) -> Handler | str | None:
    """Find the client among what an interpreter is given."""
    name = interpreter_name(process)
    if name.startswith(("python", "pypy")):
        module, script, rest = python_program(words)
        if module == "awslambdaric" or posixpath.basename(script) == "awslambdaric":
            if not rest:
                return "awslambdaric is given no handler"
            return Handler(rest[0], "python", process, client=script or "awslambdaric")
    elif name in ("node", "nodejs"):
        script, rest = node_script(words)
        node = files.find(posixpath.join(process.workdir, script)) if script else None
        path = node.path if node else script
        if "/aws-lambda-ric/" in path:
            handler = rest[0] if rest else process.environment.get("_HANDLER", UNKNOWN)
            return Handler(handler, "node", process, client=path)
    elif name.startswith("ruby"):
        for number, word in enumerate(words[1:-1], start=1):
            if posixpath.basename(word) in _RUBY_CLIENT:
                return Handler(words[number + 1], "ruby", process, client=word)
    elif name == "java" and JAVA_CLIENT in words[:-1]:
        at = words.index(JAVA_CLIENT)
        return Handler(words[at + 1], "java", process, client=JAVA_CLIENT)
    return None


def client_without_handler(process: Process) -> int | None:
    """Return what a runtime client ends with that is given no handler; None where that is not so.

    Those of Node are left out: the later ones take the name from _HANDLER.
    """
    words = process.words
    name = interpreter_name(process)
    last = words[-1] if words else ""
    if name.startswith(("python", "pypy")):
        module, script, rest = python_program(words)
        is_client = module == "awslambdaric" or posixpath.basename(script) == "awslambdaric"
        return 1 if is_client and not rest else None
    if name.startswith("ruby") and posixpath.basename(last) in _RUBY_CLIENT:
        return 0
    return 1 if name == "java" and last == JAVA_CLIENT else None


def interpreter_name(process: Process) -> str:
    """Return the name of the program that runs, as its file has it."""
    program = process.chain.program
    return posixpath.basename(program.path) if program else ""
