"""Programs in Java that are started without a runtime client: a jar, or a class on a class path.

How ``java`` finds what it starts: https://docs.oracle.com/en/java/javase/21/docs/specs/man/java.html.
A jar in a jar, as Spring Boot has them, is for the loader that is the jar's own main class.
"""

import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from imagecheck.image.filesystem import Node
from imagecheck.image.layer import FileKind
from imagecheck.rule import EXIT_ERROR
from imagecheck.start.class_path import ClassPath, class_path_of, is_no_jar, read_jar
from imagecheck.start.handler_problem import HandlerProblem, handler_problem
from imagecheck.start.java_command import java_words
from imagecheck.start.java_runtime import agent_problems, class_too_new
from imagecheck.start.options import java_program
from imagecheck.start.shell.state import UNKNOWN

if TYPE_CHECKING:
    from imagecheck.start.launch import Process
    from imagecheck.subject import Subject

_OF_THE_JDK: Final = ("java.", "javax.", "jdk.", "sun.", "com.sun.")
_ELSEWHERE: Final = ("-p", "--module-path", "-m", "--module", "-Xbootclasspath")
"""Options after which classes can come from elsewhere."""
_STARTS_NO_CLASS: Final = (
    *("-m", "--module", "-version", "--version", "-h", "--h", "-?", "-d", "--describe-module"),
    *("--list-modules", "--validate-modules"),
)
"""Options that say what is started instead, or that print something and end with 0."""


def judge_java_program(
    subject: "Subject", process: "Process"
) -> Iterator[HandlerProblem | Node | str]:
    """Judge whether the class that ``java`` is to start is there. Raises ImageReadError."""
    problems = list(agent_problems(subject, process, _program(process)))
    if problems:
        yield from problems
        return
    words = java_words(subject, process)
    if words is None:
        yield f"the main class of {process.argv[0]}: not all of its options are known"
        return
    _, jar, main_class, _ = java_program(words)
    if jar:
        yield from _jar(subject, process, jar)
    elif not main_class and not any(
        word.startswith(_STARTS_NO_CLASS) or UNKNOWN in word for word in words
    ):
        yield handler_problem(
            "E2",
            f"{' '.join(process.argv)} names neither a class nor a jar; exit status 1",
            "name the class, or -jar and the jar, in ENTRYPOINT or CMD",
            error_type=EXIT_ERROR,
        )
    elif _is_on_class_path(words, main_class):
        yield from main_class_problem(subject, process, main_class, "E2")


def main_class_problem(
    subject: "Subject", process: "Process", main_class: str, rule: str
) -> Iterator[HandlerProblem | Node | str]:
    """Report a main class that is nowhere on the class path. Raises ImageReadError."""
    path = class_path_of(subject, process)
    class_name = main_class.replace("/", ".")
    if path.has(class_name):
        yield from class_too_new(subject, path, class_name, _program(process), EXIT_ERROR)
        yield from loaded_of(subject, path, class_name)
        return
    if path.is_unknown:
        yield f"the main class {main_class}: not everything on its class path could be read"
        return
    yield handler_problem(
        rule,
        f"java finds no class {main_class} on its class path: {path.text}; exit status 1",
        "copy the classes and jars into the image, or correct -cp; a jar in a jar is not checked",
        error_type=EXIT_ERROR,
    )


def loaded_of(subject: "Subject", path: ClassPath, class_name: str) -> Iterator[Node]:
    """Yield the file that a class is loaded from, where there is one only."""
    assert subject.files  # noqa: S101  (there is no class path without files)
    found = {file.path for file in path.files_of(class_name)}
    node = subject.files.find(found.pop()) if len(found) == 1 else None
    if node:
        yield node


def _jar(subject: "Subject", process: "Process", jar: str) -> Iterator[HandlerProblem | Node | str]:
    assert subject.files  # noqa: S101  (there is no process without files)
    node = subject.files.find(posixpath.join(process.workdir, jar))
    read = read_jar(subject, node) if node else None
    if node and read is None and node.kind is FileKind.FILE and is_no_jar(subject, node):
        yield handler_problem(
            "E2",
            f"{node.path} is not a jar: it has no zip file's end; exit status 1",
            "copy the whole jar that the build makes; a pointer of Git LFS is none",
            error_type=EXIT_ERROR,
        )
    elif read is None:
        yield f"the main class of {jar}: the jar could not be read"
    elif not read.main_class:
        yield handler_problem(
            "E2",
            f"{read.path} has no Main-Class in its manifest; exit status 1",
            "start the jar that has one: Spring Boot's is the one without -plain in its name",
            error_type=EXIT_ERROR,
        )
    else:
        yield from main_class_problem(subject, process, read.main_class, "E2")


def _program(process: "Process") -> str:
    return process.chain.program.path if process.chain.program else ""


def _is_on_class_path(words: tuple[str, ...], main_class: str) -> bool:
    """Whether a main class is named that is looked up on the class path alone."""
    return (
        bool(main_class)
        and UNKNOWN not in main_class
        and not main_class.endswith(".java")
        and not main_class.startswith(_OF_THE_JDK)
        and not any(word.startswith(_ELSEWHERE) for word in words)
    )
