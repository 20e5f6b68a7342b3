"""The search for a program that asks Lambda for events."""

import posixpath
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from imagecheck.image.filesystem import FileSystem, Node
from imagecheck.image.layer import FileKind
from imagecheck.rule import EXIT_ERROR, Problem
from imagecheck.start.class_path import CLIENT_PACKAGE, class_path_of
from imagecheck.start.interpreted import found_script, script_of
from imagecheck.start.options import python_program

if TYPE_CHECKING:
    from imagecheck.start.launch import Process
    from imagecheck.subject import Subject

_CLIENTS: Final = {
    "awslambdaric", "aws-lambda-ric", "aws_lambda_ric", "aws_lambda_ric.rb", "lambda-adapter",
}  # fmt: skip
_CLIENT_JAR: Final = "aws-lambda-java-runtime-interface-client"
_OF_A_FRAMEWORK: Final = re.compile(
    r"quarkus[-./]amazon[-./]lambda|micronaut[-./]function[-./]aws|function[-./]adapter[-./]aws"
    r"|serverless[-./]lambda"
)
_INTERPRETERS: Final = {"java", "node", "nodejs", "perl", "php", "python", "ruby"}
_SERVERS: Final = {
    "apache2", "caddy", "daphne", "gunicorn", "httpd", "hypercorn", "nginx", "php-fpm", "puma",
    "streamlit", "uvicorn", "waitress-serve",
}  # fmt: skip
"""Programs that listen on a port, and ask nobody for anything."""
_ASKS: Final = (b"AWS_LAMBDA_RUNTIME_API", b"/runtime/invocation/next")
_MAX_OWN_BYTES: Final = 32 * 1024**2
_MAX_FILE_BYTES: Final = 8 * 1024**2
_FIX: Final = "install awslambdaric (Python), aws-lambda-ric (Node) or AWS's web adapter"


def unanswered(subject: "Subject", process: "Process") -> Iterator[Problem]:
    """Report a program behind which nobody asks for events. Raises ImageReadError.

    A program of its own kind may hold a client; an interpreter and a web server do not.
    """
    files = subject.files
    program = process.chain.program
    if not files or not program:
        return
    handler = subject.judgement.handler
    if (
        handler
        and handler.language == "python"
        and handler.client
        and not _has_python_client(files)
    ):
        found = f"{' '.join(process.argv)}: there is no awslambdaric in the image; exit status 1"
        yield Problem(found, "install awslambdaric in the image: add it to requirements.txt")
        return
    name = posixpath.basename(program.path).rstrip("0123456789.")
    server = _server_of(process)
    if handler or _has_client(files) or not (server or name in _INTERPRETERS):
        return
    if name == "java" and not _lacks_java_client(subject, process):
        return
    interpreter, script = script_of(process)
    is_missing = script and not found_script(
        files, interpreter, posixpath.join(process.workdir, script)
    )
    if is_missing:
        # Which another rule reports.
        return
    asks = _own_code_asks(subject, process)
    if asks:
        return
    what = server or program.path
    extensions = files.find("/opt/extensions")
    is_known = bool(server or script or name == "java")
    # What a module behind python -m does, its name does not tell.
    is_certain = is_known and asks is False and not (extensions and extensions.children)
    yield Problem(
        f"{' '.join(process.argv)} runs {what}, and the image has no runtime client that is known"
        " here, so nothing asks Lambda for events",
        _FIX,
        severity="error" if is_certain else "warning",
        error_type=EXIT_ERROR if is_certain else "",
    )


def _server_of(process: "Process") -> str:
    words = process.words
    module = python_program(words)[0] if words else ""
    for word in (module, *words[:2], process.argv[0]):
        if posixpath.basename(word) in _SERVERS:
            return posixpath.basename(word)
    return ""


def _has_python_client(files: FileSystem) -> bool:
    return any(
        posixpath.basename(node.path) == "awslambdaric" and "__init__.py" in node.children
        for node in files.below("/")
    )


def _has_client(files: FileSystem) -> bool:
    """Whether a client of AWS's is in the image, in any of its languages."""
    for node in files.below("/"):
        name = posixpath.basename(node.path)
        if name in _CLIENTS or name.startswith(_CLIENT_JAR) or "lambda-adapter" in name:
            return True
    return bool(files.find("/var/runtime/bootstrap"))


def _lacks_java_client(subject: "Subject", process: "Process") -> bool:
    """Whether no jar on the class path has the client in it, as far as all could be read.

    Frameworks have clients of their own, which are told by their names: Quarkus, Micronaut, Spring
    Cloud Function, http4k.
    """
    path = class_path_of(subject, process)
    return not path.is_unknown and not any(
        CLIENT_PACKAGE in name or _CLIENT_JAR in name or _OF_A_FRAMEWORK.search(name)
        for name in path.names()
    )


def _own_code_asks(subject: "Subject", process: "Process") -> bool | None:
    """Whether the function's own code has a client of its own; None: too much to read."""
    assert subject.files  # noqa: S101  (there is no process without files)
    folders = {posixpath.normpath(process.workdir), *subject.task_roots}
    _, script = script_of(process)
    if script:
        folders.add(posixpath.dirname(posixpath.join(process.workdir, script)))
    if "/" in folders:
        return None
    nodes: dict[str, Node] = {}
    for folder in folders:
        for node in subject.files.below(folder):
            if node.kind is FileKind.FILE and node.entry.size and not node.entry.elf:
                nodes[node.path] = node
            elif node.kind is FileKind.FILE and node.entry.elf:
                return None
    sizes = [node.entry.size for node in nodes.values()]
    if sum(sizes) > _MAX_OWN_BYTES or max(sizes, default=0) > _MAX_FILE_BYTES:
        return None
    texts = subject.contents(list(nodes.values()), _MAX_FILE_BYTES)
    return any(mark in text for text in texts.values() for mark in _ASKS)
